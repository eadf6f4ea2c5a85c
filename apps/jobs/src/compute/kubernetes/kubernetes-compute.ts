import {
  builtIns,
  ResourceClient,
  type ApiServer,
  type KubeObject,
  type ResourceType,
} from '@glacis/kube';
import { waitFor, type Clock } from '@glacis/runtime';
import { ProviderError } from '../../storage/provider-error.js';
import type { Call } from '../../storage/storage-provider.js';
import type { ComputeProvider, Instance, InstanceRef, NewInstance } from '../compute-provider.js';
import { failureOf } from './kube-failures.js';
import {
  agentSecret,
  keyClaim,
  namespaceOf,
  networkPolicy,
  partyNamespace,
  partyPod,
  POD,
  serviceAccount,
  type PartyPods,
} from './party-objects.js';
import { pullSecrets } from './pull-secrets.js';

const manager = { fieldManager: 'glacis-jobs' };

/** What is looked at of a pod. */
type Pod = KubeObject & {
  spec?: { imagePullSecrets?: { name?: string }[] };
  status?: { phase?: string };
};

type ClientOf<K extends keyof typeof builtIns> =
  (typeof builtIns)[K] extends ResourceType<infer T> ? ResourceClient<T> : never;

interface Clients {
  namespaces: ClientOf<'namespaces'>;
  accounts: ClientOf<'serviceAccounts'>;
  policies: ClientOf<'networkPolicies'>;
  claims: ClientOf<'persistentVolumeClaims'>;
  secrets: ClientOf<'secrets'>;
  pods: ClientOf<'pods'>;
}

const clientsOf = (api: ApiServer): Clients => ({
  namespaces: new ResourceClient(api, builtIns.namespaces),
  accounts: new ResourceClient(api, builtIns.serviceAccounts),
  policies: new ResourceClient(api, builtIns.networkPolicies),
  claims: new ResourceClient(api, builtIns.persistentVolumeClaims),
  secrets: new ResourceClient(api, builtIns.secrets),
  pods: new ResourceClient(api, builtIns.pods),
});

/** Parties as pods of a cluster, each in a namespace of its own (jobs.md 10.3). */
export class KubernetesCompute implements ComputeProvider {
  readonly driver = 'kubernetes';
  private clients: Promise<Clients> | undefined;

  /** @param connect is called when the cluster is needed first */
  constructor(
    private readonly connect: () => Promise<ApiServer>,
    private readonly common: PartyPods,
    private readonly clock: Clock,
  ) {}

  ensureInstance(instance: NewInstance): Promise<Instance> {
    return this.calling(async ({ pods }) => {
      const namespace = namespaceOf(instance.tags.job, instance.tags.party);
      const found = await pods.find({ name: POD, namespace });
      if (found === undefined) return this.start(instance);
      if (found.metadata.labels?.['glacis-run'] === instance.runId) return instanceOf(found);
      throw new ProviderError('exists', 'another pod of this party is there');
    });
  }

  describe(ref: InstanceRef): Promise<Instance | undefined> {
    return this.calling(async () => {
      const pod = await this.podOf(ref);
      return pod && instanceOf(pod);
    });
  }

  terminate(ref: InstanceRef, { timeoutMs }: Call): Promise<void> {
    return this.calling(async ({ pods, secrets }) => {
      const pod = await this.podOf(ref);
      if (pod === undefined) return;
      const { namespace, uid } = pod.metadata;
      const options = { uid, gracePeriodSeconds: 0 };
      await pods.delete({ name: POD, namespace }, options).catch(unlessGone);
      for (const name of secretsOf(pod))
        await secrets.delete({ name, namespace }).catch(unlessGone);
      const gone = async (): Promise<boolean> => (await this.podOf(ref)) === undefined;
      await waitFor(gone, { deadlineMs: timeoutMs, everyMs: 200 }).catch((error: unknown) => {
        throw new ProviderError('timeout', 'a pod does not end', error);
      });
    });
  }

  listByTag({ job }: { job?: string }): Promise<Instance[]> {
    return this.calling(async ({ pods }) => {
      const own = `glacis-installation=${this.common.installation},glacis-run`;
      const labelSelector = job === undefined ? own : `${own},glacis-job=${job}`;
      return (await pods.list({ labelSelector })).items.map(instanceOf);
    });
  }

  forget(job: string): Promise<void> {
    return this.calling(async ({ namespaces }) => {
      const { items } = await namespaces.list({ labelSelector: `glacis-job=${job}` });
      for (const { metadata } of items)
        await namespaces.delete({ name: metadata.name }).catch(unlessGone);
    });
  }

  price(): null {
    return null;
  }

  /** Everything that the pod needs first; all of it may be there from an attempt before. */
  private async start(instance: NewInstance): Promise<Instance> {
    const { tags } = instance;
    return this.calling(async ({ namespaces, accounts, policies, claims, secrets, pods }) => {
      await namespaces.apply(partyNamespace(tags, this.common), manager);
      await policies.apply(networkPolicy(instance), manager);
      await accounts.apply(serviceAccount(tags), manager);
      await claims.apply(keyClaim(tags, this.common), manager);
      const pulls = await pullSecrets(tags, this.common);
      for (const secret of [agentSecret(instance), ...pulls]) await secrets.apply(secret, manager);
      return instanceOf(await pods.create(partyPod(instance, this.common, this.clock.now())));
    });
  }

  private podOf({ namespace, run }: InstanceRef): Promise<Pod | undefined> {
    return this.calling(async ({ pods }) => {
      const pod = await pods.find({ name: POD, namespace: String(namespace) });
      return pod?.metadata.labels?.['glacis-run'] === run ? pod : undefined;
    });
  }

  private async calling<T>(call: (clients: Clients) => Promise<T>): Promise<T> {
    this.clients ??= this.connect().then(clientsOf);
    try {
      return await call(await this.clients);
    } catch (error) {
      throw failureOf(error);
    }
  }
}

function unlessGone(error: unknown): void {
  const failure = failureOf(error);
  if (!(failure instanceof ProviderError && failure.code === 'not_found')) throw failure;
}

/** What it was started with, and nobody needs once it has ended. */
function secretsOf({ spec: { imagePullSecrets = [] } = {} }: Pod): string[] {
  return [POD, ...imagePullSecrets.flatMap(({ name = [] }) => name)];
}

function stateOf({ metadata, status }: Pod): Instance['state'] {
  const phase = status?.phase;
  if (metadata.deletionTimestamp !== undefined) return 'gone';
  if (phase === 'Succeeded' || phase === 'Failed') return 'gone';
  return phase === 'Running' ? 'up' : 'starting';
}

function instanceOf(pod: Pod): Instance {
  const { namespace = '', labels = {}, annotations = {} } = pod.metadata;
  const { 'glacis-job': job = '', 'glacis-run': runId = '' } = labels;
  return {
    ref: { namespace, run: runId },
    tags: {
      job,
      party: Number(labels['glacis-party']),
      attempt: Number(labels['glacis-attempt']),
      expires: new Date(annotations['glacis-expires'] ?? 0),
    },
    runId,
    state: stateOf(pod),
  };
}
