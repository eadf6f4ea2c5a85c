import { keyOf } from '@glacis/kube';
import type { builtIns, ResourceClient, ResourceType, StoreReader } from '@glacis/kube';
import type { Suite } from '../suite/suite.js';
import type { Applied } from './applied.js';
import type { Doubts } from './doubts.js';
import type { Pod, Service, StatefulSet } from './manifests.js';
import type { Refusals } from './refusals.js';
import type { TeeManager, TeeManagerStatus } from './tee-manager.js';
import type { Secret } from './tls-secret.js';

type Clients = typeof builtIns;
type ClientOf<K extends keyof Clients> =
  Clients[K] extends ResourceType<infer T> ? ResourceClient<T> : never;

/** What the operator knows without asking. */
export interface Cache {
  statefulSets: Pick<StoreReader<StatefulSet>, 'get'>;
  services: Pick<StoreReader<Service>, 'get'>;
  pods: Pick<StoreReader<Pod>, 'get'>;
}

/** What lasts for as long as the process does; all of it may be lost at any time. */
export interface Memory {
  applied: Applied;
  doubts: Doubts;
  refusals: Refusals;
  /** Version of each TeeManager as it was last written, by its key. */
  latest: Map<string, string>;
}

export interface WorkSettings {
  managerUrl: string;
  managerImage: string;
}

export interface Told {
  type?: 'Normal' | 'Warning';
  reason: string;
  action: string;
  note: string;
}

/** One reconcile of one TeeManager: what it works on, and by what. */
export interface Work {
  /** As it was last read or written. */
  manager: TeeManager;
  tenant: string;
  now: Date;
  suite: Suite;
  managers: ResourceClient<TeeManager>;
  secrets: ResourceClient<Secret>;
  services: ClientOf<'services'>;
  statefulSets: ClientOf<'statefulSets'>;
  nodes: ClientOf<'nodes'>;
  cache: Cache;
  memory: Memory;
  settings: WorkSettings;
  /** Writes a Kubernetes Event about the TeeManager. */
  tell(told: Told): void;
}

/** Writes the status if it says something else than before. */
export async function saveStatus(work: Work, status: TeeManagerStatus): Promise<void> {
  work.manager = await work.managers.updateStatus(work.manager, status);
  const { metadata } = work.manager;
  work.memory.latest.set(keyOf(metadata), metadata.resourceVersion);
}
