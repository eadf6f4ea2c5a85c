import type { ComputationRun } from '@glacis/grpc';

/** What a guest reports while it lives. */
export type GuestReport =
  | { kind: 'provisioning' }
  | { kind: 'agent'; state: string; status: string; details?: Buffer }
  | { kind: 'log'; level: string; text: string }
  /** The guest has ended by itself, after it was started. */
  | { kind: 'failed'; reason: string };

/** Files of the two shares that a guest of generation B reads at boot, by name. */
export interface GuestShares {
  certs: Readonly<Record<string, Buffer>>;
  env: Readonly<Record<string, Buffer>>;
}

/** What a guest is started for. */
export type GuestOrder =
  /** Generation A: to run a computation, of which the agent is told by a manifest. */
  | { kind: 'computation'; id: string; run: ComputationRun }
  /** Generation B: as a VM whose agent dials the control plane by itself, until `expiresAt` if that is set. */
  | { kind: 'cvm'; id: string; shares: GuestShares; expiresAt?: Date };

/** A guest that outlived the manager that started it. */
export interface LeftGuest {
  kind: GuestOrder['kind'];
  id: string;
  port: string;
  expiresAt?: Date;
}

/** Starts and stops the guests of this host; one guest per id. */
export interface VmDriver {
  /**
   * Resolves with the host port that leads to the agent, once the guest runs and, for a computation, has its manifest.
   * @param report called until the guest has ended or `stop` was called
   * @throws {Error} when it cannot be started; nothing is left of it then
   */
  start(order: GuestOrder, report: (report: GuestReport) => void): Promise<{ port: string }>;
  /** Resolves when nothing of the guest is left; also for one that is still starting or unknown. */
  stop(id: string): Promise<void>;
  /**
   * Takes charge again of the guests that a killed predecessor left running and removes what is left of the others.
   * Called once, before the first `start`.
   */
  recover(report: (id: string, report: GuestReport) => void): Promise<LeftGuest[]>;
  /** What the host measures of itself, as JSON; `{}` without a measuring program. */
  information(): Promise<Buffer>;
  /** Description of the guests that it starts. */
  guest(): { ovmfVersion: string; cpuNum: number; cpuType: string; kernelCmd: string };
}
