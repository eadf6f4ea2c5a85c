import { hostname } from 'node:os';
import { joinPeers, version, type Peers } from '@glacis/host/bare';
import { ApiServer, EventRecorder, LeaderElector, openAccess, type Term } from '@glacis/kube';
import {
  createLogger,
  Health,
  Metrics,
  serveHealth,
  Tracing,
  type HealthAnswer,
  type HealthReport,
  type Logger,
} from '@glacis/observability';
import { newId, systemClock, waitFor } from '@glacis/runtime';
import type { OperatorSettings } from './settings.js';
import { GatewayCredentials } from './suite/credentials.js';
import { Door } from './suite/door.js';
import { ClusterCache } from './tee-managers/cache.js';
import { Leadership } from './tee-managers/leadership.js';
import { observePhases } from './tee-managers/observe.js';

const leaseName = 'glacis-operator';

export interface Operator {
  httpPort: number;
  stop(): Promise<void>;
}

/**
 * Starts the operator: a candidate, and while it leads the one who reconciles.
 * @throws {KubeError} notConfigured without a way to a cluster
 * @throws {SettingsError} without a join token
 */
export async function startOperator(settings: OperatorSettings): Promise<Operator> {
  const { own, process: shared } = settings;
  const basis = openBasis(settings);
  const { logger, metrics, health, tracing } = basis;
  const access = await openAccess({ kubeconfig: process.env['KUBECONFIG'] });
  const server = new ApiServer(access, { userAgent: `glacis-operator/${version}` });
  const peers = await joinPeers('operator', shared, { logger });
  const { door, directory } = openSuite(settings, basis, peers);
  const cache = new ClusterCache({ server, namespaces: own.namespaces, logger, metrics });
  observePhases(metrics, cache);
  const identity = `${hostname()}_${newId()}`;
  const recorder = new EventRecorder({
    server,
    controller: 'glacis.dev/operator',
    instance: identity,
    logger,
    metrics,
  });
  const lead = async (term: Term): Promise<void> => {
    await mayCall(peers, term.signal);
    const leadership = new Leadership({
      ...basis,
      server,
      cache,
      door,
      backends: directory.client('backends'),
      recorder,
      settings: { ...own, defaultTenant: own.tenant },
      clock: systemClock,
    });
    await leadership.run(term);
  };
  const lease = { namespace: own.namespace ?? server.namespace, name: leaseName };
  const elector = new LeaderElector({ server, lease, identity, lead, logger, metrics });
  const http = await serveHealth({
    host: shared.host,
    port: own.httpPort,
    metrics,
    answers: {
      '/health/live': () => answerOf(health.live()),
      '/health/ready': async () => answerOf(await health.ready()),
    },
  });
  cache.start(health);
  recorder.start();
  elector.start();
  const stop = async (): Promise<void> => {
    await elector.stop();
    await recorder.stop();
    await Promise.all([cache.stop(), peers.stop(), tracing.close()]);
    http.close();
    access.close();
  };
  return { httpPort: http.port, stop };
}

/** Milliseconds for the first certificate. Without it, work that waits for it says so in each TeeManager. */
const certificateMs = 10_000;

/** A moment after the start there is a certificate of our own, and work that begins earlier would fail. */
async function mayCall(peers: Peers, signal: AbortSignal): Promise<void> {
  const certified = (): boolean => {
    if (!signal.aborted) peers.check();
    return true;
  };
  await waitFor(certified, { deadlineMs: certificateMs, everyMs: 50 }).catch(() => undefined);
}

interface Basis {
  logger: Logger;
  metrics: Metrics;
  health: Health;
  tracing: Tracing;
}

function openBasis({ process: shared }: OperatorSettings): Basis {
  const metrics = new Metrics();
  metrics.observeProcess();
  return {
    logger: createLogger({ name: 'operator', level: shared.logLevel }),
    metrics,
    health: new Health(),
    tracing: new Tracing({ service: 'operator', endpoint: shared.traceEndpoint }),
  };
}

function openSuite(
  { own }: OperatorSettings,
  { health, metrics }: Basis,
  peers: Peers,
): { door: Door; directory: Peers['directory'] } {
  const { directory } = peers;
  health.add('certificate', () => peers.check());
  const credentials = new GatewayCredentials(directory.client('gateway'));
  const door = new Door({ url: own.doorUrl, credentials, metrics });
  // Others do not wait for an operator that waits for the suite.
  health.add('suite', () => door.check(), { essential: false });
  return { door, directory };
}

function answerOf(report: HealthReport): HealthAnswer {
  const status = report.status === 'ok' ? 200 : 503;
  return { status, body: JSON.stringify(report), type: 'application/json' };
}
