import type { ComputationRun } from '@glacis/grpc';

/** What a guest reports while it lives. */
export type GuestReport =
  | { kind: 'provisioning' }
  | { kind: 'agent'; state: string; status: string }
  | { kind: 'log'; level: string; text: string }
  /** The guest has ended by itself, after it was started. */
  | { kind: 'failed'; reason: string };

/** Starts and stops the guests that computations run in; one guest per computation id. */
export interface VmDriver {
  /**
   * Resolves with the host port that leads to the agent once the guest has its manifest.
   * @param report called until the guest has ended or `stop` was called
   * @throws {Error} when it cannot be started; nothing is left of it then
   */
  start(run: ComputationRun, report: (report: GuestReport) => void): Promise<{ port: string }>;
  /** Resolves when nothing of the guest is left; also for one that is still starting or unknown. */
  stop(computationId: string): Promise<void>;
  /** What the host measures of itself, as JSON; `{}` without a measuring program. */
  information(): Promise<Buffer>;
  /** Description of the guests that it starts. */
  guest(): { ovmfVersion: string; cpuNum: number; cpuType: string; kernelCmd: string };
}
