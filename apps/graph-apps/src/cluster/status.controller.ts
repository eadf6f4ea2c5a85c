import { CallerParam, Operation, zQuery, type Caller } from '@glacis/http';
import { Controller, Get, Inject, Param, Query, Res, UseInterceptors } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { pageQuery, type PageQuery } from '../apps/app.schema.js';
import { AppsService } from '../apps/apps.service.js';
import { refOfId } from '../apps/known-app.js';
import { nextPage, positionIn, setPageHeaders } from '../apps/paging.js';
import { statusItem } from '../apps/views.js';
import { dashboardNotFound, graphNotFound } from '../problems.js';
import { SETTINGS, type GraphAppsSettings } from '../settings.js';
import { StateWords } from '../state-words.js';
import { APPS_STORE, type AppsStore } from '../store/apps-store.js';
import { componentLinks } from './component-links.js';
import { GraphCluster } from './graph-cluster.js';
import { statusEntries } from './graph-status.js';

const statusReply = z.array(
  z.object({
    name: z.string(),
    namespace: z.string(),
    readOnly: z.boolean().optional(),
    appId: z.string(),
    version: z.int().optional(),
    status: z.string(),
    deployed: z.boolean(),
    progress: z.number().optional(),
    message: z.string(),
    nodes: z.array(
      z.object({
        componentTitle: z.string(),
        status: z.string(),
        message: z.string(),
        k8sUrl: z.string(),
      }),
    ),
    flows: z.array(z.object({ flowTitle: z.string(), status: z.string() })),
  }),
);

const statusListReply = z.array(
  z.object({ id: z.string(), name: z.string(), appId: z.string(), status: z.string() }),
);

const linksReply = z.array(z.object({ component: z.string(), endpoints: z.array(z.string()) }));

/** What the operator says of the graphs, from memory (`graph-apps.md` 6.5). */
@Controller()
@UseInterceptors(StateWords)
export class StatusController {
  constructor(
    @Inject(AppsService) private readonly apps: AppsService,
    @Inject(APPS_STORE) private readonly store: AppsStore,
    @Inject(GraphCluster) private readonly cluster: GraphCluster,
    @Inject(SETTINGS) private readonly settings: GraphAppsSettings,
  ) {}

  @Get('graph-status/:id')
  @Operation({
    access: 'member',
    summary: 'Show the state of an App, of its components and of its flows',
    reply: statusReply,
    errors: ['graph-not-found'],
  })
  async status(@CallerParam() caller: Caller, @Param('id') id: string): Promise<unknown> {
    const app = await this.apps.get(caller, id);
    return statusEntries(app, this.cluster.seen(app), this.settings);
  }

  @Get('apps/status/list')
  @Operation({
    access: 'member',
    summary: 'List the states of all Apps',
    query: pageQuery,
    reply: statusListReply,
    errors: ['invalid-request'],
  })
  async list(
    @CallerParam() { tenant }: Caller,
    @Query(zQuery(pageQuery)) { limit, cursor }: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const after = cursor === undefined ? undefined : positionIn(cursor, refOfId);
    const { apps, total } = await this.store.list({ tenant, after, limit });
    setPageHeaders(reply, { total, next: nextPage(apps, limit) });
    return apps.map(statusItem);
  }

  @Get('apps/:id/component-links')
  @Operation({
    access: 'member',
    summary: 'List the URL paths under which components are reached',
    reply: linksReply,
    errors: ['graph-not-found'],
  })
  async links(@CallerParam() caller: Caller, @Param('id') id: string): Promise<unknown> {
    const graph = this.cluster.seen(await this.apps.get(caller, id));
    if (graph === undefined) throw graphNotFound(`${id} has no graph in the cluster`);
    return componentLinks(graph.status?.endpointPaths);
  }

  @Get('app/:id/grafana_dashboard')
  @Operation({
    access: 'member',
    summary: 'Show the panels of the App in Grafana',
    reply: z.record(z.string(), z.string().nullable()),
    errors: ['graph-not-found', 'dashboard-not-found'],
  })
  async grafana(@CallerParam() caller: Caller, @Param('id') id: string): Promise<never> {
    await this.apps.get(caller, id);
    throw dashboardNotFound(`${id} has no dashboard`);
  }
}
