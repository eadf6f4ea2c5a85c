import { joinPeers, version, type Peers } from '@glacis/host/bare';
import { ApiServer, openAccess } from '@glacis/kube';
import { serveHealth, type HealthAnswer, type HealthReport } from '@glacis/observability';
import { openBasis, type Basis } from './basis.js';
import type { Command } from './command-line.js';
import { GraphCluster } from './graphs/cluster.js';
import { webhookBundles } from './graphs/webhooks/bundles.js';
import { startWebhooks } from './graphs/webhooks/webhooks.js';
import { startOperatorRole } from './operator-role.js';
import type { OperatorSettings } from './settings.js';

export interface Program {
  httpPort: number;
  /** Of the webhooks; absent without their roles. */
  webhookPort?: number;
  stop(): Promise<void>;
}

/**
 * Starts the roles that the command line names.
 * @throws {KubeError} notConfigured without a way to a cluster
 * @throws {SettingsError} without a join token where one is needed
 */
export async function startProgram(command: Command, settings: OperatorSettings): Promise<Program> {
  const { own, process: shared } = settings;
  const { KUBECONFIG: kubeconfig, TELEPRESENCE_ROOT: root } = process.env;
  const access = await openAccess({ kubeconfig, root });
  const userAgent = `glacis-operator/${version}`;
  const basis = openBasis(settings, new ApiServer(access, { userAgent }));
  const peers = await peersOf(settings, basis);
  const cluster = clusterOf(command, settings, basis);
  const bundles =
    peers && cluster && own.webhookNames.length > 0
      ? webhookBundles(basis, own.webhookConfiguration, peers)
      : undefined;
  const parts = { basis, settings, peers, cluster, bundles };
  const http = await serveHealth({
    host: shared.host,
    port: own.httpPort,
    metrics: basis.metrics,
    answers: healthPages(basis),
  });
  cluster?.start(basis.health);
  bundles?.start();
  const stopOperator = command.roles.has('operator') ? startOperatorRole(parts) : undefined;
  const webhooks = await startWebhooks({ ...parts, command });
  const stop = async (): Promise<void> => {
    await Promise.all([stopOperator?.(), webhooks?.stop()]);
    await Promise.all([cluster?.stop(), bundles?.stop(), peers?.stop(), basis.tracing.close()]);
    http.close();
    access.close();
  };
  return { httpPort: http.port, webhookPort: webhooks?.port, stop };
}

/** Our own certificate and the way to the services, where anything needs them. */
async function peersOf(
  { own, process: shared, teeManagers }: OperatorSettings,
  { logger }: Basis,
): Promise<Peers | undefined> {
  const { webhookNames: names } = own;
  if (teeManagers === undefined && names.length === 0) return undefined;
  return joinPeers('operator', shared, { names, logger });
}

function clusterOf(
  { roles }: Command,
  { own, graphs }: OperatorSettings,
  basis: Basis,
): GraphCluster | undefined {
  const reconciles = roles.has('operator') && own.resources.includes('rampartgraphs');
  if (!reconciles && !roles.has('validator')) return undefined;
  return new GraphCluster({ ...basis, kafkaConfigured: graphs.kafkaBootstrap !== undefined });
}

/** Those of all our programs, and those that Rampart's installations probe. */
function healthPages({ health }: Basis): Record<string, () => Promise<HealthAnswer>> {
  const live = async (): Promise<HealthAnswer> => answerOf(health.live());
  const ready = async (): Promise<HealthAnswer> => answerOf(await health.ready());
  return { '/health/live': live, '/health/ready': ready, '/healthz': live, '/readyz': ready };
}

function answerOf(report: HealthReport): HealthAnswer {
  const status = report.status === 'ok' ? 200 : 503;
  return { status, body: JSON.stringify(report), type: 'application/json' };
}
