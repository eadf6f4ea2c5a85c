import { CLOCK, newId, systemClock, type Clock } from '@glacis/runtime';
import { compareVersions } from '@glacis/kube';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { App, AppRef } from '../apps/app.entity.js';
import { newApp, type Cause } from '../apps/changes.js';
import { Edits, type Decision } from '../apps/edits.js';
import { SETTINGS, type GraphAppsSettings } from '../settings.js';
import { APPS_STORE, type AppsStore, type Edit } from '../store/apps-store.js';
import { annotatedVersion, follow, gone, hashOfGraph } from './follow.js';
import { GraphCluster } from './graph-cluster.js';
import type { RampartGraph } from './rampart-graph.js';

/** Brings Apps after the graphs of the cluster. May be asked at any time, by every replica at once. */
@Injectable()
export class GraphFollower {
  constructor(
    @Inject(APPS_STORE) private readonly store: AppsStore,
    @Inject(Edits) private readonly edits: Edits,
    @Inject(GraphCluster) private readonly cluster: GraphCluster,
    @Inject(SETTINGS) private readonly settings: GraphAppsSettings,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /** What became of one graph: its App follows it, or goes. */
  async look(ref: AppRef): Promise<void> {
    while (await this.edits.run(ref, (app) => this.decide(ref, app)));
  }

  /** The graph as the cluster has just taken it from this service, which has checked whose it is. */
  async take(app: App, graph: RampartGraph, cause: Cause): Promise<App> {
    return this.edits.run(app, async (found) => {
      const edit = await this.following(found, graph, { tenant: app.tenant, cause });
      return { edit, result: edit?.after ?? found ?? app };
    });
  }

  /** The result says whether to look again, as what stood in the way is gone now. */
  private async decide(ref: AppRef, app: App | undefined): Promise<Decision<boolean>> {
    const graph = await this.current(ref, app);
    if (graph === undefined) {
      // A draft waits for no graph.
      return { edit: app && app.uid !== null ? gone(app) : undefined, result: false };
    }
    const tenant = await this.tenantOf(ref, app);
    if (app && !mayFollow(app, graph, tenant)) return { edit: gone(app), result: true };
    return { edit: await this.following(app, graph, { tenant }), result: false };
  }

  /** That of the Namespace; while that goes, it stays as it is. */
  private async tenantOf({ namespace }: AppRef, app: App | undefined): Promise<string> {
    const owner = await this.cluster.seenTenantOf(namespace);
    return owner ?? app?.tenant ?? this.settings.tenant;
  }

  private async following(
    app: App | undefined,
    graph: RampartGraph,
    { tenant, cause }: { tenant: string; cause?: Cause },
  ): Promise<Edit | undefined> {
    const { namespace = '', name, labels = {} } = graph.metadata;
    const now = this.clock.now();
    const blank = newApp({ id: newId(this.clock), tenant, namespace, name, labels }, now);
    const number = app && (await this.numberOf(app, graph));
    return follow({ before: app, blank }, { graph, tenant, number, now }, cause);
  }

  /** The version that the annotation names if the content agrees, else the newest of that content. */
  private async numberOf(app: App, graph: RampartGraph): Promise<number | undefined> {
    const hash = hashOfGraph(graph);
    const named = annotatedVersion(graph);
    if (named > 0 && (await this.store.version(app, named))?.hash === hash) return named;
    return this.store.numberOf(app, hash);
  }

  /**
   * The graph from memory, unless the App knows of a newer one, would go for want of it, or has had another or none: then
   * it is asked for. Another replica may be ahead of this one, and what is in memory may be gone.
   */
  private async current(ref: AppRef, app: App | undefined): Promise<RampartGraph | undefined> {
    const known = this.cluster.seen(ref);
    if (app === undefined || (app.uid === null && known === undefined)) return known;
    const { seen } = app;
    const isOld =
      known === undefined ||
      known.metadata.uid !== app.uid ||
      (seen !== null && compareVersions(known.metadata.resourceVersion, seen) < 0);
    return isOld ? this.cluster.required.clients.graphs.find(ref) : known;
  }
}

/**
 * Another graph has come in place of the App's own: then that one is gone. A draft of another tenant than the Namespace's
 * gives way, as whoever owns the Namespace owns its graphs.
 */
function mayFollow(app: App, graph: RampartGraph, tenant: string): boolean {
  return app.uid === null ? app.tenant === tenant : app.uid === graph.metadata.uid;
}
