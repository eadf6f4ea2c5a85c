import { isIP } from 'node:net';
import { AGENT_HOST_VARIABLE, AGENT_TOKEN_VARIABLE } from '@glacis/contracts';
import type { builtIns, Draft, ResourceType } from '@glacis/kube';
import { agentArguments } from '../agent-command.js';
import type { InstanceTags, NewInstance } from '../compute-provider.js';

/** An object of a kind, as it is sent. */
export type Of<K extends keyof typeof builtIns> =
  (typeof builtIns)[K] extends ResourceType<infer T> ? Draft<T> : never;

/** What pods of parties have in common. */
export interface PartyPods {
  /** Label by which those of this installation are told from those of others. */
  installation: string;
  /** The image of this version, in which all programs are. */
  image: string;
  /** A confidential one, where the nodes have it. */
  runtimeClass?: string;
  /** Of the volume that keeps keys from attempt to attempt; absent: the default of the cluster. */
  storageClass?: string;
  /** Files with a dockerconfigjson each, by which nodes pull the image. Default none. */
  pullSecretFiles?: readonly string[];
}

/** Name of the one pod of a party's namespace, and of all that belongs to it. */
export const POD = 'party';
/** Where images of this suite have it. */
const ROOT = '/opt/glacis';
const FOLDER = '/party';
const LINK_PORT = 7443;
const USER = 65_532;
/** For files that the image's user reads by its group. */
const GROUP_READS = 0o440;

export const pullSecretName = (index: number): string => `pull-${index}`;
export const namespaceOf = (job: string, party: number): string => `glacis-party-${job}-${party}`;

const place = ({ job, party }: InstanceTags): { name: string; namespace: string } => ({
  name: POD,
  namespace: namespaceOf(job, party),
});

/** Nothing but pods by the standard `restricted`. */
export const partyNamespace = (
  { job, party }: InstanceTags,
  { installation }: PartyPods,
): Of<'namespaces'> => ({
  metadata: {
    name: namespaceOf(job, party),
    labels: {
      'glacis-installation': installation,
      'glacis-job': job,
      'glacis-party': String(party),
      'pod-security.kubernetes.io/enforce': 'restricted',
    },
  },
});

export const serviceAccount = (tags: InstanceTags): Of<'serviceAccounts'> => ({
  metadata: place(tags),
  automountServiceAccountToken: false,
});

/** Where calls of the coordinator go: of a Service that is its namespace, of another name anywhere. */
function coordinatorOf(hostname: string): { to?: object[] } {
  if (isIP(hostname) === 4) return { to: [{ ipBlock: { cidr: `${hostname}/32` } }] };
  const [, namespace] = /^[^.]+\.([^.]+)\.svc(?:\.|$)/.exec(hostname) ?? [];
  if (namespace === undefined) return {};
  const matchLabels = { 'kubernetes.io/metadata.name': namespace };
  return { to: [{ namespaceSelector: { matchLabels } }] };
}

/** Its two peers may come in; it may go out to them and to the coordinator (jobs.md 10.3). */
export function networkPolicy({ tags, config }: NewInstance): Of<'networkPolicies'> {
  const peers = [{ namespaceSelector: { matchLabels: { 'glacis-job': tags.job } } }];
  const link = [{ protocol: 'TCP', port: LINK_PORT }];
  const { hostname, port } = new URL(config.coordinator);
  const listener = [{ protocol: 'TCP', port: Number(port || 443) }];
  const dns = ['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 }));
  const lookups = isIP(hostname) === 0 ? [{ ports: dns }] : [];
  return {
    metadata: place(tags),
    spec: {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      // On the wire it is called so; the types of client-node have a name of their own.
      ingress: [{ ['from' as '_from']: peers, ports: link }],
      egress: [
        { to: peers, ports: link },
        { ...coordinatorOf(hostname), ports: listener },
        ...lookups,
      ],
    },
  };
}

/** Keys of a party outlive its pods, and go with its namespace. */
export const keyClaim = (
  tags: InstanceTags,
  { storageClass }: PartyPods,
): Of<'persistentVolumeClaims'> => ({
  metadata: place(tags),
  spec: {
    accessModes: ['ReadWriteOnce'],
    storageClassName: storageClass,
    resources: { requests: { storage: '16Mi' } },
  },
});

export function agentSecret({ tags, token, config }: NewInstance): Of<'secrets'> {
  const own = { listen_host: '0.0.0.0', listen_port: LINK_PORT, life_line: false };
  return {
    metadata: place(tags),
    stringData: { token, 'agent.json': JSON.stringify({ ...config, ...own }) },
  };
}

/** @param now from which its longest life is counted */
export function partyPod(instance: NewInstance, pods: PartyPods, now: Date): Of<'pods'> {
  const { tags, runId } = instance;
  const lifeSeconds = Math.max(1, Math.ceil((tags.expires.getTime() - now.getTime()) / 1000));
  return {
    metadata: {
      ...place(tags),
      labels: {
        'glacis-installation': pods.installation,
        'glacis-job': tags.job,
        'glacis-party': String(tags.party),
        'glacis-attempt': String(tags.attempt),
        'glacis-run': runId,
      },
      annotations: { 'glacis-expires': tags.expires.toISOString() },
    },
    spec: {
      serviceAccountName: POD,
      imagePullSecrets: pods.pullSecretFiles?.map((_, index) => ({ name: pullSecretName(index) })),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: 'Never',
      activeDeadlineSeconds: lifeSeconds,
      runtimeClassName: pods.runtimeClass,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER,
        runAsGroup: USER,
        fsGroup: USER,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: POD,
          image: pods.image,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', ...agentArguments(FOLDER, runId, { root: ROOT })],
          workingDir: FOLDER,
          env: [
            {
              name: AGENT_TOKEN_VARIABLE,
              valueFrom: { secretKeyRef: { name: POD, key: 'token' } },
            },
            {
              name: AGENT_HOST_VARIABLE,
              valueFrom: { fieldRef: { fieldPath: 'status.podIP' } },
            },
          ],
          ports: [{ containerPort: LINK_PORT }],
          resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '2Gi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [
            { name: 'keys', mountPath: FOLDER },
            {
              name: 'agent',
              mountPath: `${FOLDER}/agent.json`,
              subPath: 'agent.json',
              readOnly: true,
            },
          ],
        },
      ],
      volumes: [
        { name: 'keys', persistentVolumeClaim: { claimName: POD } },
        { name: 'agent', secret: { secretName: POD, defaultMode: GROUP_READS } },
      ],
    },
  };
}
