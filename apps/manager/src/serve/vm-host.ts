import { newId } from '@glacis/runtime';
import type { Log } from '../log.js';
import type { Requests } from '../requests.js';
import type { ManagerSettings } from '../settings.js';
import type { VmDriver } from '../vms/vm-driver.js';
import { listenForCalls, type VmListener } from './vm-listener.js';
import { VmService } from './vm-service.js';
import { Vms } from './vms.js';

export interface VmHostOptions {
  settings: ManagerSettings;
  driver: VmDriver;
  requests: Requests;
  log: Log;
}

/** The manager of one host in generations B and C: waits to be called, and starts and removes VMs. */
export class VmHost {
  private stopped: () => void;
  private readonly untilStopped: Promise<void>;

  private constructor(
    private readonly listener: VmListener,
    private readonly vms: Vms,
  ) {
    this.untilStopped = new Promise((resolve) => (this.stopped = resolve));
  }

  /** Listens when the VMs of a killed predecessor have been found. @throws {StartRefusedError} */
  static async start({ settings, driver, requests, log }: VmHostOptions): Promise<VmHost> {
    const { upstream } = settings;
    const vms = new Vms({ driver, max: upstream.maxVms, newId, log });
    await vms.recover();
    const eosVersion = upstream.eosVersion ?? '';
    const service = new VmService({ vms, driver, eosVersion, requests });
    return new VmHost(await listenForCalls(upstream, service, log), vms);
  }

  /** The port on which it is called. */
  get port(): number {
    return this.listener.port;
  }

  /** Calls are taken from the first moment on. */
  get connected(): boolean {
    return true;
  }

  /** Serves until `stop`; the VMs are removed then. */
  async serve(): Promise<'stopped'> {
    await this.untilStopped;
    await this.listener.close();
    await this.vms.close();
    return 'stopped';
  }

  stop(): void {
    this.stopped();
  }

  /** Takes the certificate files as they are now. Resolves to false when they cannot be read. */
  renew(): Promise<boolean> {
    return this.listener.renew().then(
      () => true,
      () => false,
    );
  }
}
