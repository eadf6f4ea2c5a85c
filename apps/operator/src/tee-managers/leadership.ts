import type { BackendEvent, BackendsRpc } from '@glacis/contracts';
import {
  builtIns,
  compareVersions,
  Controller,
  keyOf,
  News,
  ResourceClient,
  type ApiServer,
  type EventRecorder,
  type Fence,
  type ReconcileContext,
  type ReconcileResult,
} from '@glacis/kube';
import type { Logger, Metrics, Tracing } from '@glacis/observability';
import type { Clock } from '@glacis/runtime';
import { BackendWatches } from '../suite/backend-watches.js';
import type { Door } from '../suite/door.js';
import { Suite } from '../suite/suite.js';
import { Applied } from './applied.js';
import type { ClusterCache } from './cache.js';
import { Doubts } from './doubts.js';
import { reconcile } from './reconcile.js';
import { Refusals } from './refusals.js';
import { teeManagers, tenantLabel, type TeeManager } from './tee-manager.js';
import type { Memory, Work, WorkSettings } from './work.js';

export interface LeadershipOptions {
  server: ApiServer;
  cache: ClusterCache;
  door: Door;
  backends: Pick<BackendsRpc, 'watch'>;
  recorder: EventRecorder;
  settings: WorkSettings & { defaultTenant: string };
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  tracing: Tracing;
}

type TermContext = ReconcileContext & { holds: () => boolean };

/** TeeManagers worked on at once. Most of a reconcile is waiting for answers. */
const workers = 8;

/** The work of a leader for one term. It begins without memory, as another may have led meanwhile. */
export class Leadership {
  readonly watches: BackendWatches;
  private readonly memory: Memory = {
    applied: new Applied(),
    doubts: new Doubts(),
    refusals: new Refusals(),
    latest: new Map(),
  };
  private readonly news = new News();

  constructor(private readonly options: LeadershipOptions) {
    this.watches = new BackendWatches({
      backends: options.backends,
      onEvent: (event) => this.heard(event),
      onGap: (tenant) => this.missed(tenant),
      logger: options.logger,
    });
  }

  /** Works until the term is over. */
  async run(term: Fence): Promise<void> {
    const { server, cache, logger, metrics, tracing } = this.options;
    const controller = new Controller({
      name: 'teemanagers',
      triggers: [...cache.triggers(), this.news],
      reconcile: (key, context) => this.reconcile(key, { ...context, holds: () => term.holds() }),
      server,
      workers,
      logger,
      metrics,
      tracing,
    });
    await controller.run(term);
    await this.watches.stop();
  }

  private async reconcile(key: string, context: TermContext): Promise<ReconcileResult> {
    const cached = this.options.cache.managers.get(key);
    if (!cached) {
      this.memory.applied.forget(key);
      this.memory.latest.delete(key);
      return {};
    }
    const manager = await this.asLastWritten(cached, context.server);
    const tenant = manager.status?.tenant ?? (await this.tenantOf(manager, context.server));
    this.watches.ensure(tenant);
    return { requeueAfterMs: await reconcile(this.workOn(manager, tenant, context)) };
  }

  /** The cache may not know yet what was written a moment ago: what is decided by the old would be refused anyway. */
  private async asLastWritten(cached: TeeManager, server: ApiServer): Promise<TeeManager> {
    const latest = this.memory.latest.get(keyOf(cached.metadata));
    const { resourceVersion } = cached.metadata;
    if (latest === undefined || compareVersions(resourceVersion, latest) >= 0) return cached;
    return (await new ResourceClient(server, teeManagers).find(cached.metadata)) ?? cached;
  }

  /** By the label of the namespace, asked when it is needed: once in the life of a TeeManager. */
  private async tenantOf({ metadata }: TeeManager, server: ApiServer): Promise<string> {
    const namespaces = new ResourceClient(server, builtIns.namespaces);
    const { labels = {} } = (await namespaces.get({ name: metadata.namespace ?? '' })).metadata;
    return labels[tenantLabel] ?? this.options.settings.defaultTenant;
  }

  private workOn(manager: TeeManager, tenant: string, context: TermContext): Work {
    const { door, cache, settings, clock, recorder } = this.options;
    const { server } = context;
    return {
      manager,
      tenant,
      now: clock.now(),
      suite: new Suite(door, tenant, context),
      managers: new ResourceClient(server, teeManagers),
      secrets: new ResourceClient(server, builtIns.secrets),
      services: new ResourceClient(server, builtIns.services),
      statefulSets: new ResourceClient(server, builtIns.statefulSets),
      nodes: new ResourceClient(server, builtIns.nodes),
      cache,
      memory: this.memory,
      settings,
      tell: ({ type = 'Normal', ...told }) => recorder.record({ about: manager, type, ...told }),
    };
  }

  private heard({ type, subject }: BackendEvent): void {
    if (type !== 'backend.connected') this.memory.doubts.raise(subject);
    for (const { metadata } of this.options.cache.managers.by('backend', subject)) {
      this.news.tell(keyOf(metadata));
    }
  }

  private missed(tenant: string): void {
    for (const { metadata, status } of this.options.cache.managers.by('tenant', tenant)) {
      this.memory.doubts.raise(status?.backendId);
      this.news.tell(keyOf(metadata));
    }
  }
}
