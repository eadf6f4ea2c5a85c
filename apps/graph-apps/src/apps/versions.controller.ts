import { diffOf } from '@glacis/graphs';
import { CallerParam, etagOf, Operation, zBody, zQuery, type Caller } from '@glacis/http';
import {
  Body,
  Controller,
  Get,
  Headers,
  Inject,
  Param,
  Patch,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { dashboardUrl } from '../cluster/dashboard.js';
import { versionNotActive } from '../problems.js';
import { SETTINGS, type GraphAppsSettings } from '../settings.js';
import { StateWords } from '../state-words.js';
import { APPS_STORE, type AppsStore } from '../store/apps-store.js';
import type { App, Version } from './app.entity.js';
import {
  diffQuery,
  diffReply,
  notesBody,
  pageQuery,
  versionGraphReply,
  versionItemReply,
  versionListReply,
  type PageQuery,
} from './app.schema.js';
import { AppsService } from './apps.service.js';
import { isReadOnly, noSuchVersion, numberIn } from './known-app.js';
import { cursorOf, positionIn, setPageHeaders } from './paging.js';
import { isActive, versionItem } from './views.js';

const missing = ['graph-not-found', 'version-not-found'];

@Controller('apps/:id/versions')
@UseInterceptors(StateWords)
export class VersionsController {
  constructor(
    @Inject(AppsService) private readonly apps: AppsService,
    @Inject(APPS_STORE) private readonly store: AppsStore,
    @Inject(SETTINGS) private readonly settings: GraphAppsSettings,
  ) {}

  @Get()
  @Operation({
    access: 'member',
    summary: 'List the versions of an App, the oldest first',
    query: pageQuery,
    reply: versionListReply,
    errors: ['graph-not-found', 'invalid-request'],
  })
  async list(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Query(zQuery(pageQuery)) { limit, cursor }: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const app = await this.apps.get(caller, id);
    const after = cursor === undefined ? undefined : positionIn(cursor, numberIn);
    const versions = await this.store.versions(app, { after, limit });
    const last = versions.at(-1)?.number;
    const more = last !== undefined && versions.length === limit && last < app.lastVersion;
    const next = more ? cursorOf(String(last)) : undefined;
    setPageHeaders(reply, { total: app.versionCount, next });
    return versions.map((version) => versionItem(app, version));
  }

  @Get(':version/graph')
  @Operation({
    access: 'member',
    summary: 'Show the graph of a version; `0` is a graph that nobody has written yet',
    reply: versionGraphReply,
    errors: missing,
  })
  async graph(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('version') text: string,
  ): Promise<unknown> {
    const app = await this.apps.get(caller, id);
    const { namespace, name } = app;
    if (text === '0')
      return { appId: id, versionId: '0', graph: { metadata: { namespace, name } } };
    const { graph, number } = await this.versionOf(app, text);
    return { appId: id, readOnly: isReadOnly(app), versionId: String(number), graph };
  }

  @Get(':version/dashboard_urls')
  @Operation({
    access: 'member',
    summary: 'Where the Kubernetes dashboard shows the version that is deployed',
    reply: z.object({ k8s: z.string() }),
    errors: [...missing, 'version-not-active'],
  })
  async dashboards(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('version') text: string,
  ): Promise<unknown> {
    const app = await this.apps.get(caller, id);
    const version = await this.versionOf(app, text);
    if (!isActive(app, version)) throw versionNotActive(version.number);
    return { k8s: `${dashboardUrl(this.settings)}/#/workloads?namespace=_all` };
  }

  @Get(':from/diff/:to')
  @Operation({
    access: 'member',
    summary: 'Show what changes from one version to another',
    query: diffQuery,
    reply: diffReply,
    errors: missing,
  })
  async diff(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('from') from: string,
    @Param('to') to: string,
    @Query(zQuery(diffQuery)) options: z.output<typeof diffQuery>,
  ): Promise<unknown> {
    const app = await this.apps.get(caller, id);
    const [before, after] = [await this.versionOf(app, from), await this.versionOf(app, to)];
    const difference = diffOf(before.graph.spec.graph, after.graph.spec.graph, options);
    return { appId: id, from: String(before.number), to: String(after.number), ...difference };
  }

  @Patch(':version')
  @Operation({
    access: 'member',
    summary: 'Change the notes of a version; its graph never changes',
    body: notesBody,
    reply: versionItemReply,
    errors: [...missing, 'graph-read-only', 'invalid-request', 'precondition-failed'],
  })
  async annotate(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('version') text: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body(zBody(notesBody)) { notes }: z.output<typeof notesBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const number = numberIn(text);
    const app = await this.apps.annotate(caller, { id, ifMatch }, { number, notes });
    reply.header('etag', etagOf(app.revision));
    return versionItem(app, await this.versionOf(app, text));
  }

  private async versionOf(app: App, text: string): Promise<Version> {
    const version = await this.store.version(app, numberIn(text));
    if (version === undefined) throw noSuchVersion();
    return version;
  }
}
