import {
  componentNamespace,
  flowServiceHost,
  livenessHost,
  type MountedType,
} from '@glacis/graphs';
import type { Caller } from '@glacis/http';
import { Inject, Injectable } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { shownVersion, type App } from '../apps/app.entity.js';
import { AppsService } from '../apps/apps.service.js';
import { isNamePart } from '../apps/known-app.js';
import { GraphCluster } from '../cluster/graph-cluster.js';
import { componentNotFound, graphNotFound } from '../problems.js';
import { SETTINGS, type GraphAppsSettings } from '../settings.js';
import { APPS_STORE, type AppsStore } from '../store/apps-store.js';
import { claimOf, edgeOf, type EdgePath, type ShownGraph } from './shown-graph.js';
import { askUpstream, FLOW_ADDRESS, type FlowAddress, type UpstreamAnswer } from './upstream.js';

/** A request as it is passed on. */
export interface Passage {
  headers: IncomingHttpHeaders;
  signal: AbortSignal;
}

export interface FlowPath {
  flow: string;
  type: MountedType;
  /** Last segment of the path, as `directory`. */
  what: string;
  /** Of these members the query is made; absent ones are left out. */
  query: Record<string, string | undefined>;
}

/** What the services in the namespaces of a graph say of its flows and edges (`graph-apps.md` 6.2, 15 to 17). */
@Injectable()
export class FlowsService {
  constructor(
    @Inject(AppsService) private readonly apps: AppsService,
    @Inject(APPS_STORE) private readonly store: AppsStore,
    @Inject(GraphCluster) private readonly cluster: GraphCluster,
    @Inject(SETTINGS) private readonly settings: GraphAppsSettings,
    @Inject(FLOW_ADDRESS) private readonly addressOf: FlowAddress,
  ) {}

  async flow(
    caller: Caller,
    id: string,
    path: FlowPath,
    passage: Passage,
  ): Promise<UpstreamAnswer> {
    const app = await this.apps.get(caller, id);
    const claim = claimOf(app, await this.graphOf(app), path);
    const given = Object.entries(path.query).filter((pair) => pair[1] !== undefined);
    const query = new URLSearchParams(given as [string, string][]).toString();
    const target = `/api/v1/app/flows_service/${claim}/${path.what}${query && `?${query}`}`;
    return this.ask(flowServiceHost(app, path.type), target, passage);
  }

  async edge(
    caller: Caller,
    id: string,
    path: EdgePath,
    passage: Passage,
  ): Promise<UpstreamAnswer> {
    const app = await this.apps.get(caller, id);
    const graph = this.cluster.seen(app);
    if (graph === undefined) throw graphNotFound(`${id} has no graph in the cluster`);
    const { edge, namespace } = edgeOf(graph, path);
    const explicit = typeof namespace === 'string' ? namespace : undefined;
    const within = componentNamespace(app, path.component, explicit);
    // It becomes part of a host name, and the graph may be older than the rules.
    if (!isNamePart(within)) throw componentNotFound(`no namespace can be ${within}`);
    const side = path.part === 'inputs' ? 'input' : 'output';
    return this.ask(livenessHost(within), `/${side}/${encodeURIComponent(edge)}`, passage);
  }

  private async graphOf(app: App): Promise<ShownGraph> {
    const live = this.cluster.seen(app);
    if (live) return live;
    const version = await this.store.version(app, shownVersion(app));
    return version ? version.graph : { spec: {} };
  }

  private ask(service: string, path: string, passage: Passage): Promise<UpstreamAnswer> {
    const { host, port } = this.addressOf(service);
    return askUpstream({ host, port, path, ...passage, limit: this.settings.proxyLimit });
  }
}
