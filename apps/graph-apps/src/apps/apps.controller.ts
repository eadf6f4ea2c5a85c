import { CallerParam, etagOf, Operation, zBody, zQuery, type Caller } from '@glacis/http';
import { appId } from '@glacis/graphs';
import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { StateWords } from '../state-words.js';
import { APPS_STORE, type AppsStore } from '../store/apps-store.js';
import { shownVersion, type StoredGraph } from './app.entity.js';
import {
  appListReply,
  appReply,
  createdReply,
  graphBody,
  listQuery,
  savedReply,
  versionBody,
  type GraphBody,
  type ListQuery,
  type VersionBody,
} from './app.schema.js';
import { AppsService, type Saved } from './apps.service.js';
import { isReadOnly, refOfId } from './known-app.js';
import { nextPage, positionIn, setPageHeaders } from './paging.js';
import { appEntry, timeOrNull, timeText, versionView } from './views.js';

/** Bytes of a graph at most: what the cluster takes of an object, with room. */
export const graphLimit = 2 << 20;

@Controller()
@UseInterceptors(StateWords)
export class AppsController {
  constructor(
    @Inject(AppsService) private readonly apps: AppsService,
    @Inject(APPS_STORE) private readonly store: AppsStore,
  ) {}

  @Post('graphs')
  @Operation({
    access: 'member',
    summary: 'Draft an App: its first version is saved, nothing is deployed',
    body: graphBody,
    reply: createdReply,
    bodyLimit: graphLimit,
    errors: ['invalid-request', 'invalid-graph', 'duplicate-graph-exists'],
  })
  async create(
    @CallerParam() caller: Caller,
    @Body(zBody(graphBody)) body: GraphBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const saved = await this.apps.create(caller, body);
    reply.header('etag', etagOf(saved.app.revision));
    return {
      graph: saved.graph.spec,
      appId: appId(saved.app),
      versionId: '1',
      ...warningsOf(saved),
    };
  }

  @Get(['graphs', 'apps'])
  @Operation({
    access: 'member',
    summary: 'List Apps by namespace and name',
    query: listQuery,
    reply: appListReply,
    errors: ['invalid-request'],
  })
  async list(
    @CallerParam() caller: Caller,
    @Query(zQuery(listQuery)) query: ListQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const { cursor, fields, ...filter } = query;
    const after = cursor === undefined ? undefined : positionIn(cursor, refOfId);
    const { tenant } = caller;
    const { apps, total } = await this.store.list({ ...filter, tenant, after });
    setPageHeaders(reply, { total, next: nextPage(apps, query.limit) });
    const graphs = fields === 'summary' ? new Map() : await this.store.shownGraphs(apps);
    return apps.map((app) => appEntry(app, graphs.get(app.id) as StoredGraph | undefined));
  }

  @Get('apps/:id')
  @Operation({
    access: 'member',
    summary: 'Show an App, its versions and the graph that is deployed',
    reply: appReply,
    errors: ['graph-not-found'],
  })
  async show(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const app = await this.apps.get(caller, id);
    const [versions, live] = await Promise.all([
      this.store.versions(app),
      app.active ? this.store.version(app, shownVersion(app)) : undefined,
    ]);
    reply.header('etag', etagOf(app.revision));
    return {
      id: app.uid,
      name: app.name,
      namespace: app.namespace,
      readOnly: isReadOnly(app),
      versions: versions.map((version) => versionView(app, version)),
      deployed: live !== undefined && app.phase === 'Deployed',
      graph: live?.graph ?? {},
      lastModified: live ? timeText(live.createdAt) : timeOrNull(app.lastDeployment),
      activeVersion: app.activeVersion,
    };
  }

  @Delete('apps/:id')
  @Operation({
    access: 'member',
    summary: 'Delete an App; one that is deployed goes when its graph is gone from the cluster',
    reply: z.object({ appId: z.string() }),
    errors: ['graph-not-found', 'graph-read-only', 'precondition-failed', 'cluster-not-configured'],
  })
  async delete(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<unknown> {
    await this.apps.delete(caller, { id, ifMatch });
    return { appId: id };
  }

  @Post('apps/:id/graph')
  @HttpCode(200)
  @Operation({
    access: 'member',
    summary: 'Save a new version; nothing is deployed',
    body: versionBody,
    reply: savedReply,
    bodyLimit: graphLimit,
    errors: [
      'graph-not-found',
      'graph-read-only',
      'invalid-request',
      'invalid-graph',
      'precondition-failed',
    ],
  })
  async save(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body(zBody(versionBody)) body: VersionBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const saved = await this.apps.save(caller, { id, ifMatch }, body);
    reply.header('etag', etagOf(saved.app.revision));
    const { graph, version } = saved;
    return { appId: id, versionId: version, graph, ...warningsOf(saved) };
  }
}

function warningsOf({ warnings }: Saved): { warnings?: string[] } {
  return warnings.length > 0 ? { warnings } : {};
}
