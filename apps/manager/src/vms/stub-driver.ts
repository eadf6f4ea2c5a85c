import { setTimeout as delay } from 'node:timers/promises';
import type { ComputationRun } from '@glacis/grpc';
import type { GuestOrder, GuestReport, LeftGuest, VmDriver } from './vm-driver.js';

export interface StubDriverOptions {
  /** Milliseconds between two steps of a guest's life. Default 20. */
  stepMs?: number;
  /** Host ports that guests get, as MANAGER_QEMU_HOST_FWD_RANGE; they bound the guests. Default 6100 to 6200. */
  ports?: { first: number; last: number };
}

/** States of an agent in their order, with what it reports in each (`backends.md` 9, usual order). */
const agentLife = (run: ComputationRun): [state: string, status: string][] => [
  ['ReceivingAlgorithm', 'InProgress'],
  ...(run.datasets.length > 0 ? ([['ReceivingData', 'InProgress']] as [string, string][]) : []),
  ['Running', 'Starting'],
  ['Running', 'InProgress'],
  ['Running', 'Completed'],
  ['ConsumingResults', 'Ready'],
  ['Complete', 'Completed'],
];

interface Guest {
  port: number;
  abort: AbortController;
}

/** No VM: simulates provisioning and the order of the agent's events, for hosts without TEE and for tests. */
export class StubDriver implements VmDriver {
  private readonly guests = new Map<string, Guest>();
  private readonly stepMs: number;
  private readonly ports: { first: number; last: number };

  constructor(options: StubDriverOptions = {}) {
    this.stepMs = options.stepMs ?? 20;
    this.ports = options.ports ?? { first: 6_100, last: 6_200 };
  }

  async start(order: GuestOrder, report: (report: GuestReport) => void): Promise<{ port: string }> {
    const guest = { port: this.freePort(), abort: new AbortController() };
    this.guests.set(order.id, guest);
    const { signal } = guest.abort;
    report({ kind: 'provisioning' });
    await this.step(signal);
    report({ kind: 'log', level: 'debug', text: 'guest has booted' });
    if (order.kind === 'computation') {
      report({ kind: 'agent', state: 'ReceivingManifest', status: 'InProgress' });
      await this.step(signal);
      void this.live(order.run, signal, report);
    }
    return { port: String(guest.port) };
  }

  stop(id: string): Promise<void> {
    this.guests.get(id)?.abort.abort();
    this.guests.delete(id);
    return Promise.resolve();
  }

  /** Simulated guests end with the process. */
  recover(): Promise<LeftGuest[]> {
    return Promise.resolve([]);
  }

  information(): Promise<Buffer> {
    return Promise.resolve(Buffer.from('{}'));
  }

  guest(): ReturnType<VmDriver['guest']> {
    return { ovmfVersion: '', cpuNum: 0, cpuType: 'stub', kernelCmd: '' };
  }

  private async live(
    run: ComputationRun,
    signal: AbortSignal,
    report: (report: GuestReport) => void,
  ): Promise<void> {
    for (const [state, status] of agentLife(run)) {
      await delay(this.stepMs);
      if (signal.aborted) return;
      report({ kind: 'agent', state, status });
    }
  }

  private async step(signal: AbortSignal): Promise<void> {
    await delay(this.stepMs);
    if (signal.aborted) throw new Error('stopped while starting');
  }

  private freePort(): number {
    const taken = new Set([...this.guests.values()].map((guest) => guest.port));
    for (let port = this.ports.first; port <= this.ports.last; port += 1) {
      if (!taken.has(port)) return port;
    }
    throw new Error('no free port on the host');
  }
}
