import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ManagerClient } from '@glacis/grpc';
import { Metrics, newTraceparent, Tracing } from '@glacis/observability';
import { newId } from '@glacis/runtime';
import { AutoRenewal, type Sleep } from './enrolment/auto-renewal.js';
import { IdentityStore } from './enrolment/identity.js';
import { listenHttp } from './http.js';
import { tlsSource, type ReadTls } from './link/server-tls.js';
import { ServerRevocation } from './link/server-revocation.js';
import type { Log } from './log.js';
import { Manager, type Ending, type ManagerOptions } from './manager.js';
import { Requests } from './requests.js';
import type { ManagerSettings } from './settings.js';
import { chooseDriver } from './vms/choose-driver.js';

export interface Program {
  httpPort: number;
  manager: Manager;
  /** How it ended; everything that it had open is closed by then. */
  ended: Promise<Ending>;
}

/** What tests change of a program. */
export interface ProgramOptions extends Partial<
  Pick<ManagerOptions, 'driver' | 'backoff' | 'clock'>
> {
  /** How the renewal of the certificate waits. */
  sleep?: Sleep;
}

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

/**
 * Starts the manager with everything around it.
 * @throws {StartRefusedError} when the settings cannot be served
 */
export async function startProgram(
  settings: ManagerSettings,
  log: Log,
  options: ProgramOptions = {},
): Promise<Program> {
  const { upstream, own, traces } = settings;
  const store = new IdentityStore(own.stateDir);
  const tls = await tlsSource(upstream, store);
  const instanceId = upstream.instanceId ?? newId();
  const metrics = new Metrics();
  metrics.observeProcess();
  const tracing = new Tracing({ service: 'manager', endpoint: traces.url });
  const revocation = new ServerRevocation(join(own.stateDir, 'crl'), log);
  const manager = new Manager({
    dialect: own.protocol,
    client: clientFactory(settings, { revocation, instanceId, readTls: tls.read }),
    revocation,
    driver: chooseDriver(settings),
    reconnect: own.reconnect,
    eosVersion: upstream.eosVersion ?? '',
    log,
    requests: new Requests({ metrics, tracing, traceRatio: traces.traceRatio }),
    ...options,
  });
  const http = await listenHttp({
    port: own.httpPort,
    instanceId,
    version,
    metrics,
    connected: () => manager.connected,
  });
  const { port: httpPort } = http.address() as AddressInfo;
  log.info({ httpPort, protocol: own.protocol, server: upstream.grpcUrl }, 'manager has started');
  const renewal = new AbortController();
  if (tls.enrolled) {
    const use = (): Promise<boolean> => manager.renew();
    const { newKey } = own;
    void new AutoRenewal({ store, revocation, newKey, use, log, ...options }).run(renewal.signal);
  }
  const ended = serve(manager, http, tracing).finally(() => renewal.abort());
  return { httpPort, manager, ended };
}

async function serve(manager: Manager, http: Server, tracing: Tracing): Promise<Ending> {
  try {
    return await manager.serve();
  } finally {
    http.closeAllConnections();
    http.close();
    await tracing.close();
  }
}

interface ClientParts {
  revocation: ServerRevocation;
  instanceId: string;
  readTls: ReadTls;
}

function clientFactory(
  { upstream, own }: ManagerSettings,
  { revocation, instanceId, readTls }: ClientParts,
): () => Promise<ManagerClient> {
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
