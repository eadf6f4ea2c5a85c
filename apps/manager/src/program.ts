import { readFileSync } from 'node:fs';
import { Metrics, Tracing, type HealthServer } from '@glacis/observability';
import { newId } from '@glacis/runtime';
import { dial } from './dial.js';
import type { Sleep } from './enrolment/auto-renewal.js';
import { listenHttp } from './http.js';
import type { Log } from './log.js';
import type { Ending, Manager, ManagerOptions } from './manager.js';
import { Requests } from './requests.js';
import type { ManagerSettings } from './settings.js';
import { VmHost } from './serve/vm-host.js';
import { chooseDriver } from './vms/choose-driver.js';

/** A manager as the program around it sees it, whoever dials. */
type Role = Pick<Manager, 'connected' | 'serve' | 'stop' | 'renew'>;

export interface Program {
  httpPort: number;
  /** Generation B: the port on which calls are taken. */
  grpcPort?: number;
  manager: Role;
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
  const instanceId = upstream.instanceId ?? newId();
  const metrics = new Metrics();
  metrics.observeProcess();
  const tracing = new Tracing({ service: 'manager', endpoint: traces.url });
  const requests = new Requests({ metrics, tracing, traceRatio: traces.traceRatio });
  const parts = { settings, log, requests, driver: chooseDriver(settings), ...options };
  const manager =
    own.generation === 'A'
      ? await dial({ ...parts, instanceId, version })
      : await VmHost.start(parts);
  const http = await listenHttp({
    port: own.httpPort,
    instanceId,
    version,
    metrics,
    connected: () => manager.connected,
  });
  const { port: httpPort } = http;
  const ports = { httpPort, ...(manager instanceof VmHost && { grpcPort: manager.port }) };
  log.info({ ...ports, generation: own.generation }, 'manager has started');
  return { ...ports, manager, ended: serve(manager, http, tracing) };
}

async function serve(manager: Role, http: HealthServer, tracing: Tracing): Promise<Ending> {
  try {
    return await manager.serve();
  } finally {
    http.close();
    await tracing.close();
  }
}
