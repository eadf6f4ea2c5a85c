import type { AgentConfig } from '@glacis/contracts';
import type { Call } from '../storage/storage-provider.js';

/** What an instance carries, so that whoever finds it knows whose it is (jobs.md 6.1). */
export interface InstanceTags {
  job: string;
  party: number;
  attempt: number;
  expires: Date;
}

export interface NewInstance {
  tags: InstanceTags;
  /**
   * Chosen by the caller, one for each job, attempt and party: the same again gives the instance that is there and starts
   * none, also after a call whose answer was lost.
   */
  runId: string;
  /** Of the agent in it, used once. */
  token: string;
  config: AgentConfig;
}

/** By which a provider knows an instance again; its own business what is in it. JSON. */
export type InstanceRef = Readonly<Record<string, string | number>>;

export interface Instance {
  ref: InstanceRef;
  tags: InstanceTags;
  runId: string;
  /** `gone` until the provider has forgotten it. */
  state: 'starting' | 'up' | 'gone';
}

export interface Price {
  /** Per hour of one instance. */
  amount: number;
  /** ISO 4217 */
  currency: string;
}

/** Where party agents run (jobs.md 10.1). Every method fails with `ProviderError`. */
export interface ComputeProvider {
  /** The code behind the name of the provider. */
  readonly driver: 'local' | 'kubernetes' | 'aws' | 'gcp' | 'azure';

  /** Starts the agent of one party, unless it runs; `exists` while another of the same party and attempt does. */
  ensureInstance(instance: NewInstance, call: Call): Promise<Instance>;
  /** Undefined when there is none. */
  describe(ref: InstanceRef, call: Call): Promise<Instance | undefined>;
  /** Ends it with all that is in it, whatever it does; resolves when it is gone. One that is gone counts as ended. */
  terminate(ref: InstanceRef, call: Call): Promise<void>;
  /** Every instance of ours that there is, or those of one job. */
  listByTag(tags: { job?: string }, call: Call): Promise<Instance[]>;
  /** What parties of a job keep from attempt to attempt (bucket keys); for when its buckets go. */
  forget(job: string, call: Call): Promise<void>;
  /** Null where it costs nothing. */
  price(): Price | null;
}
