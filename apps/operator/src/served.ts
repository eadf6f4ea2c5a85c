import type { EventRecorder, Term } from '@glacis/kube';
import type { Peers } from '@glacis/host/bare';
import type { Basis } from './basis.js';
import type { OperatorSettings } from './settings.js';

/** A kind of resource that the role `operator` serves. */
export interface Served {
  /** Begins to copy what it reads of the cluster; on every replica. */
  start(): void;
  /** Reconciles until the term is over. */
  lead(term: Term): Promise<void>;
  stop(): Promise<void>;
}

/** What it is made of. */
export interface ServedOptions extends Basis {
  settings: OperatorSettings;
  recorder: EventRecorder;
  /** Absent without a join token; where TeeManagers are served there is one. */
  peers?: Peers;
}
