import type { MountedType } from '../graph.js';
import { LABELS } from '../marks.js';
import { claimName, podName } from '../names.js';
import { claimsIn } from './claims.js';
import { cloneContainer, flowClone } from './clone.js';
import { secretSource } from './mutation-preset.js';
import { flowsOf } from './places.js';
import { containerSecurity, scratch, type Mount, type Variable } from './pods.js';
import { pullReferences, pullSecretsIn } from './pull-secrets.js';
import { folders, repositoryOf, type RepositoryFacts } from './repository-flow.js';
import type { Manifest, RenderSubject } from './subject.js';
import { workloadObjects, type Workload } from './workload.js';

/** Release `flows-volume` or `flows-repository` (4.7, 4.8). Empty where the graph has no such flow. */
export function flowObjects(subject: RenderSubject, flowType: MountedType): Manifest[] {
  const flows = flowsOf(subject, flowType);
  if (flows.length === 0) return [];
  const place = { flowType };
  const jobs = flowType === 'repository' ? pullSecretsIn(subject, place, 'init') : [];
  return [
    ...claimsIn(subject, place),
    ...pullSecretsIn(subject, place, 'flows'),
    ...jobs,
    ...workloadObjects(subject, place, flowService(subject, flowType, flows)),
  ];
}

/** The pod that shows what is in the flows. */
function flowService(subject: RenderSubject, type: MountedType, flows: string[]): Workload {
  const parts = flows.map((flow) => flowPart(subject, flow));
  return {
    name: `flows-${type}-flows-service`,
    image: subject.settings.flowImage,
    command: ['node', 'apps/flows/dist/main.js'],
    env: remotesIn(parts),
    podLabels: { [LABELS.disableEdges]: 'true' },
    serviceLabels: { [LABELS.enableEdges]: 'true' },
    mounts: parts.flatMap(({ mounts }) => mounts),
    volumes: parts.flatMap(({ volumes }) => volumes),
    initContainers: parts.flatMap(({ initContainers }) => initContainers),
    imagePullSecrets: pullReferences(subject, 'flows'),
    readsSecrets: parts.some(({ volumes }) => volumes.length > 1),
  };
}

/** What the service may fetch: clones that no component can write to. */
function remotesIn(parts: FlowPart[]): Variable[] {
  const names = parts.flatMap(({ clone }) => clone ?? []);
  return names.length > 0 ? [{ name: 'GLACIS_FLOWS_REMOTES', value: names.join(',') }] : [];
}

interface FlowPart {
  /** Name of the flow's folder, for a clone that the service fetches. */
  clone?: string;
  /** That of the flow, and that of its Secret, which the clone names. */
  mounts: Mount[];
  volumes: object[];
  initContainers: object[];
}

function flowPart(subject: RenderSubject, flow: string): FlowPart {
  const facts = repositoryOf(subject, flow);
  if (facts?.remote !== undefined) return clonedPart(subject, flow, facts);
  const claim = claimName(subject.graph, flow);
  const name = podName(`flow-volume-${flow}`);
  return {
    mounts: [{ name, mountPath: `${folders.flows}/${claim}`, readOnly: true }],
    volumes: [{ name, persistentVolumeClaim: { claimName: claim } }],
    initContainers: [],
  };
}

/** A repository elsewhere: cloned when the pod starts, fetched by the service. */
function clonedPart(subject: RenderSubject, flow: string, facts: RepositoryFacts): FlowPart {
  const clone = flowClone(subject, flow, facts);
  const name = podName(`flow-volume-${flow}`);
  const mount = { name, mountPath: clone.folder };
  const secret = facts.gitSecret && {
    mount: { name: podName(`git-secret-${flow}`), mountPath: clone.secrets.git, readOnly: true },
    source: secretSource(facts.gitSecret),
  };
  const mounts = [mount, ...(secret ? [secret.mount] : [])];
  return {
    clone: claimName(subject.graph, flow),
    mounts,
    volumes: [
      { name, emptyDir: {} },
      ...(secret ? [{ name: secret.mount.name, ...secret.source }] : []),
    ],
    initContainers: [
      cloneContainer(subject, `git-clone-${flow}`, clone, {
        volumeMounts: [...mounts, scratch.mount],
        securityContext: containerSecurity,
      }),
    ],
  };
}
