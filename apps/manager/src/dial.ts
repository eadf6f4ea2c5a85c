import { join } from 'node:path';
import { ManagerClient } from '@glacis/grpc';
import { newTraceparent } from '@glacis/observability';
import { AutoRenewal } from './enrolment/auto-renewal.js';
import { IdentityStore } from './enrolment/identity.js';
import { ServerRevocation } from './link/server-revocation.js';
import { tlsSource, type ReadTls } from './link/server-tls.js';
import type { Log } from './log.js';
import { Manager } from './manager.js';
import type { ProgramOptions } from './program.js';
import type { Requests } from './requests.js';
import type { ManagerSettings } from './settings.js';
import type { VmDriver } from './vms/vm-driver.js';

export interface DialOptions extends ProgramOptions {
  settings: ManagerSettings;
  log: Log;
  requests: Requests;
  driver: VmDriver;
  instanceId: string;
  version: string;
}

/**
 * A manager of generation A, which dials the server; an enrolled one renews its certificate by itself.
 * @throws {StartRefusedError}
 */
export async function dial(options: DialOptions): Promise<Manager> {
  const { settings, log } = options;
  const { upstream, own } = settings;
  const store = new IdentityStore(own.stateDir);
  const tls = await tlsSource(upstream, store);
  const revocation = new ServerRevocation(join(own.stateDir, 'crl'), log);
  const manager = new Manager({
    ...options,
    dialect: own.protocol,
    client: clientFactory(options, revocation, tls.read),
    revocation,
    reconnect: own.reconnect,
    eosVersion: upstream.eosVersion ?? '',
  });
  if (tls.enrolled) {
    const use = (): Promise<boolean> => manager.renew();
    const renewal = new AutoRenewal({ ...options, store, revocation, newKey: own.newKey, use });
    void renewal.run(manager.ending);
  }
  return manager;
}

function clientFactory(
  { settings, instanceId, version }: DialOptions,
  revocation: ServerRevocation,
  readTls: ReadTls,
): () => Promise<ManagerClient> {
  const { upstream, own } = settings;
  return async () => {
    const tls = await readTls();
    return new ManagerClient({
      address: upstream.grpcUrl,
      dialect: own.protocol,
      tls,
      checkServer: (certificate) => revocation.check(certificate, String(tls?.ca)),
      connectTimeoutMs: upstream.grpcTimeout,
      metadata: {
        'glacis-protocol': own.protocol,
        'glacis-manager-version': version,
        'glacis-manager-instance': instanceId,
        traceparent: newTraceparent(),
      },
    });
  };
}
