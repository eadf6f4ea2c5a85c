import { appId, LABELS, rampartView, V1BETA2, type ChartSource } from '@glacis/graphs';
import {
  compareVersions,
  Controller,
  News,
  refOf,
  ResourceClient,
  trigger,
  type EventRecorder,
  type Fence,
  type ReconcileContext,
  type ReconcileResult,
  type StoreReader,
} from '@glacis/kube';
import { Loop, newId, type Clock } from '@glacis/runtime';
import type { Basis } from '../basis.js';
import { Applied } from './applied.js';
import type { OwnedCache } from './cache.js';
import { graphKeysOf } from './graph-key.js';
import type { GraphCluster } from './cluster.js';
import { ClusterObjects, Helm, WorkFolder, type HelmOptions } from './helm/index.js';
import { rampartGraphs } from './kinds/index.js';
import { logLine, type LogPhase } from './log-line.js';
import { noteOf, phaseOfNews, typeOfNews, type NewsKind } from './news.js';
import { Probes } from './probes.js';
import { attemptsBackoff, reconcile } from './reconcile.js';
import { Running } from './running.js';
import type { KafkaTopics } from './topics/kafka.js';
import type { PulsarTopics } from './topics/pulsar.js';
import { removeAll } from './undeploy.js';
import type { Graph, Memory, Work, WorkSettings } from './work.js';

export interface GraphLeadershipOptions extends Basis {
  cluster: GraphCluster;
  cache: OwnedCache;
  charts: ChartSource;
  recorder: EventRecorder;
  helm: HelmOptions;
  settings: LeadershipSettings;
  topics: { kafka: KafkaTopics; pulsar: PulsarTopics };
  /** Writes a line of the log for people. */
  print: (line: string) => void;
  clock: Clock;
}

export interface LeadershipSettings extends WorkSettings {
  /** Graphs that are worked on at once. */
  workers: number;
  /** Folder for the files of helm. */
  workdir: string;
  pulsarSweep: boolean;
}

/** Milliseconds of one reconcile. Each step of it has its own limit; together they may take as long as a graph is deep. */
const reconcileMs = 24 * 3_600_000;

/** The work of a leader on graphs for one term. It begins without memory, as another may have led meanwhile. */
export class GraphLeadership {
  private readonly memory: Memory = {
    applied: new Applied(),
    written: new Map(),
    due: new Map(),
    looked: new Map(),
  };
  private readonly news = new News();
  private readonly running = new Map<string, Running>();
  private readonly probes: Probes;
  private readonly objects: ClusterObjects;
  private readonly graphs: StoreReader<Graph>;

  constructor(private readonly options: GraphLeadershipOptions) {
    const { settings, clock, cluster } = options;
    this.graphs = cluster.graphs.store;
    this.objects = new ClusterObjects(options.server);
    this.probes = new Probes({
      freshMs: settings.resyncMs,
      onChange: (key) => this.news.tell(key),
      clock,
    });
  }

  /** Works until the term is over. */
  async run(term: Fence): Promise<void> {
    const { cluster, cache, server, logger, metrics, tracing, settings } = this.options;
    const controller = new Controller({
      name: 'rampartgraphs',
      triggers: [
        trigger(cluster.graphs),
        trigger(cluster.namespaces, graphKeysOf),
        trigger(cluster.infras),
        ...cache.triggers(),
        this.news,
      ],
      reconcile: (key, context) => this.reconcile(key, context),
      server,
      workers: settings.workers,
      reconcileMs,
      backoff: attemptsBackoff,
      logger,
      metrics,
      tracing,
    });
    const end = cluster.graphs.subscribe(({ key, old, new: now }) => {
      this.running.get(key)?.changed();
      if (old && !now) this.forget(key, old);
    });
    const sweep = sweepOf(this.options);
    sweep.start();
    await controller.run(term);
    await sweep.stop();
    end();
  }

  private async reconcile(key: string, context: ReconcileContext): Promise<ReconcileResult> {
    const graph = this.latest(key);
    for (const uid of this.uidsOf(key)) {
      if (uid === graph?.metadata.uid) continue;
      const work = this.workOn(goneGraph(key, uid), context, context.signal);
      await removeAll(work);
      await work.folder.remove();
    }
    if (!graph) return {};
    const running = new Running(graph, () => this.graphs.get(key));
    this.running.set(key, running);
    try {
      const signal = AbortSignal.any([context.signal, running.signal]);
      const work = {
        ...this.workOn(graph, context, signal),
        outdated: () => running.outdated(),
      };
      return { requeueAfterMs: await reconcile(work) };
    } finally {
      this.running.delete(key);
    }
  }

  /** As it was last written, where that has not come back yet. */
  private latest(key: string): Graph | undefined {
    const cached = this.graphs.get(key);
    const written = cached && this.memory.written.get(cached.metadata.uid);
    if (!cached || !written) return cached;
    if (compareVersions(written.resourceVersion, cached.metadata.resourceVersion) > 0) {
      return { ...cached, status: written.status };
    }
    this.memory.written.delete(cached.metadata.uid);
    return cached;
  }

  private forget(key: string, { metadata, status }: Graph): void {
    this.probes.forget(key);
    this.memory.written.delete(metadata.uid);
    this.memory.due.delete(metadata.uid);
    for (const { namespace } of status?.components ?? []) {
      for (const name of ['component', 'auth-aux'])
        this.memory.looked.delete(`${namespace}/${name}`);
    }
  }

  /** Of all graphs that had this name and of which something is left. */
  private uidsOf(key: string): Set<string> {
    const { cluster, cache } = this.options;
    const left = [...cluster.namespaces.store.by('graphKey', key), ...cache.volumesOfKey(key)];
    return new Set(left.flatMap(({ metadata }) => metadata.labels?.[LABELS.graphUid] ?? []));
  }

  /** @param helmSignal ends helm */
  private workOn(
    graph: Graph,
    { server, signal }: ReconcileContext,
    helmSignal: AbortSignal,
  ): Work {
    const { cluster, cache, settings, topics, charts, clock } = this.options;
    const { namespace = '', name, uid } = graph.metadata;
    const id = { namespace, name, uid };
    const folder = new WorkFolder(settings.workdir, rampartView(appId(id)));
    const say = (phase: LogPhase, message: string): void =>
      this.options.print(logLine(clock.now(), id, phase, message));
    return {
      graph,
      id,
      server,
      graphs: new ResourceClient<Graph>(server, rampartGraphs),
      namespaces: cluster.namespaces.store,
      cluster: cluster.index,
      infras: cluster.infras.store,
      cache,
      objects: this.objects,
      charts,
      helm: new Helm(folder, this.options.helm, helmSignal),
      folder,
      probes: this.probes,
      topics,
      seen: new Map(),
      made: new Set(),
      memory: this.memory,
      settings,
      report: (err) => {
        const faultId = newId(clock);
        this.options.logger.error({ err, faultId, ...id }, 'a rule failed unexpectedly');
        return faultId;
      },
      now: () => clock.now(),
      outdated: () => false,
      signal,
      say,
      tell: (kind, note) => {
        say(phaseOfNews(kind), note);
        this.record(graph, kind, note);
      },
      tellOther: (key, kind, note) => {
        const other = this.graphs.get(key);
        if (other) this.record(other, kind, note);
      },
    };
  }

  private record(about: Graph, kind: NewsKind, note: string): void {
    const type = typeOfNews(kind);
    this.options.recorder.record({
      about,
      type,
      reason: kind,
      action: 'Reconcile',
      note: noteOf(note),
    });
  }
}

/** What stands for a graph of which only its marks on other objects are left. */
function goneGraph(key: string, uid: string): Graph {
  const { namespace, name } = refOf(key);
  return {
    apiVersion: V1BETA2,
    kind: rampartGraphs.kind,
    metadata: { namespace, name, uid, resourceVersion: '0' },
    spec: { graph: { components: {}, flows: {} } },
  };
}

/** Namespaces of pulsar that belong to no graph any more, as long as somebody provides it (4.9). */
function sweepOf({ cluster, topics, settings, logger }: GraphLeadershipOptions): Loop {
  return new Loop({
    name: 'pulsar sweep',
    intervalMs: settings.resyncMs,
    run: async () => {
      const [provider] = cluster.index.providersOf('pulsar');
      if (!settings.pulsarSweep || !provider) return;
      await cluster.synced;
      const ids = [...cluster.graphs.store.values()].map(({ metadata: { namespace = '', name } }) =>
        appId({ namespace, name }),
      );
      const swept = await topics.pulsar.sweep(new Set(ids));
      if (swept.length > 0)
        logger.info({ swept }, 'namespaces of pulsar without a graph are removed');
    },
    onError: (err) => logger.warn({ err }, 'pulsar could not be swept'),
  });
}
