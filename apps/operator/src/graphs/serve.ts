import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RenderSettings } from '@glacis/graphs';
import { systemClock } from '@glacis/runtime';
import { aimAt } from '../heap.js';
import type { Served, ServedOptions } from '../served.js';
import { OwnedCache } from './cache.js';
import type { GraphCluster } from './cluster.js';
import {
  ChartArchives,
  ChartLibrary,
  Helm,
  Launcher,
  WorkFolder,
  type HelmOptions,
} from './helm/index.js';
import { kafkaBootstrapOf, kafkaSecurityReader } from './kafka-access.js';
import { GraphLeadership } from './leadership.js';
import { helmRunMetrics, observeGraphs } from './metrics.js';
import { secretReader } from './secret-reader.js';
import type { GraphSettings } from './settings.js';
import { KafkaTopics } from './topics/kafka.js';
import { PulsarTopics } from './topics/pulsar.js';

/** RampartGraphs. @param cluster shared with the webhooks of the same process */
export function serveGraphs(options: ServedOptions, cluster: GraphCluster): Served {
  const { health, metrics, logger, server, settings } = options;
  const namespaces = cluster.namespaces.store;
  const cache = new OwnedCache({ server, namespaces, logger, metrics });
  observeGraphs(metrics, cluster);
  return {
    start: () => {
      cluster.start(health);
      cache.start(health);
    },
    stop: async () => {
      await Promise.all([cluster.stop(), cache.stop()]);
    },
    lead: async (term) => {
      const { graphs } = settings;
      const own = graphs.workdir === '';
      const workdir = own ? await mkdtemp(join(tmpdir(), 'glacis-graphs-')) : graphs.workdir;
      const launcher = new Launcher((isUsed) => aimAt(isUsed ? 'speed' : 'size'));
      const { kafka, leadership } = await open(options, { cluster, cache, workdir, launcher });
      try {
        await leadership.run(term);
      } finally {
        await kafka.close();
        await launcher.close();
        if (own) await rm(workdir, { recursive: true, force: true });
      }
    },
  };
}

interface Parts {
  cluster: GraphCluster;
  cache: OwnedCache;
  workdir: string;
  launcher: Launcher;
}

async function open(
  options: ServedOptions,
  { cluster, cache, workdir, launcher }: Parts,
): Promise<{ kafka: KafkaTopics; leadership: GraphLeadership }> {
  const { server, logger, metrics, settings } = options;
  const { graphs } = settings;
  const operatorNamespace = settings.own.namespace ?? server.namespace;
  const helm = {
    ...helmOptions(graphs, helmRunMetrics(metrics)),
    run: launcher.run,
    archives: await ChartArchives.open(join(workdir, '.archives')),
  };
  const secret = secretReader(server);
  const charts = new ChartLibrary({
    helm: new Helm(new WorkFolder(workdir, '.charts'), helm),
    secret,
    operatorNamespace,
    auxChart: {
      repo: graphs.auxChartRepo,
      name: graphs.auxChartName,
      version: graphs.auxChartVersion,
    },
  });
  const bootstrap = (): string => kafkaBootstrapOf(graphs, cluster.index, operatorNamespace);
  const kafka = new KafkaTopics({
    bootstrap,
    security: kafkaSecurityReader({
      name: graphs.kafkaClientSecret,
      operatorNamespace,
      secret,
      workdir,
    }),
    logger,
  });
  const pulsar = new PulsarTopics({ url: pulsarUrl(graphs), cluster: graphs.pulsarDeployment });
  const leadership = new GraphLeadership({
    ...options,
    cluster,
    cache,
    charts,
    helm,
    settings: {
      render: await renderSettings(graphs),
      kafkaBootstrap: bootstrap,
      resyncMs: graphs.resyncSeconds * 1_000,
      persistentErrorAfterMs: graphs.persistentErrorAfter * 1_000,
      workers: graphs.workers,
      pulsarSweep: graphs.pulsarSweep,
      workdir,
    },
    topics: { kafka, pulsar },
    print: (line) => void process.stdout.write(`${line}\n`),
    clock: systemClock,
  });
  return { kafka, leadership };
}

function helmOptions(
  graphs: GraphSettings,
  onRun: HelmOptions['onRun'],
): Omit<HelmOptions, 'run' | 'archives'> {
  return {
    program: graphs.helm,
    installTimeoutSeconds: graphs.componentInstallTimeout,
    repoTimeoutSeconds: graphs.repoTimeout,
    kubeconfig: process.env['KUBECONFIG'],
    onRun,
  };
}

function pulsarUrl({
  pulsarService,
  pulsarNamespace,
  pulsarAdminPort,
}: GraphSettings): string | undefined {
  if (pulsarService === '') return undefined;
  const port = pulsarAdminPort === undefined ? '' : `:${pulsarAdminPort}`;
  return `http://${pulsarService}.${pulsarNamespace}.svc.cluster.local${port}`;
}

/** The brokers are added by what the cluster provides at the moment. @throws {Error} when a file cannot be read */
async function renderSettings(graphs: GraphSettings): Promise<RenderSettings> {
  const { imagePullSecretPath, volumeFlowLivenessPath, registry, flowImage } = graphs;
  return {
    registry,
    storageClass: graphs.storageClass,
    flowImage,
    livenessImage: graphs.livenessImage || flowImage,
    repositoryImage: graphs.repoImage || `${registry}/dev/dvc:2.9.3`,
    pullSecret: await textOf(imagePullSecretPath),
    livenessScript: await textOf(volumeFlowLivenessPath),
    initTimeoutSeconds: graphs.repoFlowInitTimeout,
    pulsar: {
      service: graphs.pulsarService,
      namespace: graphs.pulsarNamespace,
      clientPort: String(graphs.pulsarClientPort ?? ''),
    },
    kafkaBootstrap: '',
  };
}

const textOf = async (path: string): Promise<string | undefined> =>
  path === '' ? undefined : readFile(path, 'utf8');
