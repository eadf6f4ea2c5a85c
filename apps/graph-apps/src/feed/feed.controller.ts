import { Readable } from 'node:stream';
import { CallerParam, Operation, type Caller } from '@glacis/http';
import {
  Controller,
  Get,
  Headers,
  Inject,
  Param,
  Res,
  StreamableFile,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { App, AppRef } from '../apps/app.entity.js';
import { AppsService } from '../apps/apps.service.js';
import { refOfId } from '../apps/known-app.js';
import { statusItem } from '../apps/views.js';
import { GraphCluster } from '../cluster/graph-cluster.js';
import { statusEntries } from '../cluster/graph-status.js';
import { tooManyStreams } from '../problems.js';
import { SETTINGS, type GraphAppsSettings } from '../settings.js';
import { StateWords } from '../state-words.js';
import { APPS_STORE, type AppsStore } from '../store/apps-store.js';
import { AppStream } from './app-stream.js';
import { Feed } from './feed.js';

const events = {
  type: 'text/event-stream',
  description:
    '`status` at first and whenever it changes, `version` for each one that is saved, `deleted`; a comment every 15 s.',
};

@Controller('apps')
@UseInterceptors(StateWords)
export class FeedController {
  constructor(
    @Inject(AppsService) private readonly apps: AppsService,
    @Inject(APPS_STORE) private readonly store: AppsStore,
    @Inject(GraphCluster) private readonly cluster: GraphCluster,
    @Inject(Feed) private readonly feed: Feed,
    @Inject(SETTINGS) private readonly settings: GraphAppsSettings,
  ) {}

  @Get('events')
  @Operation({
    access: 'member',
    summary: 'Follow all Apps',
    reply: events,
    head: false,
    noStore: true,
    errors: ['too-many-streams'],
  })
  all(
    @CallerParam() { tenant }: Caller,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): StreamableFile {
    const stream = this.streamOf(tenant, (app) => [statusItem(app)]);
    return this.answer(reply, stream, lastEventId);
  }

  @Get(':id/events')
  @Operation({
    access: 'member',
    summary: 'Follow an App',
    reply: events,
    head: false,
    noStore: true,
    errors: ['graph-not-found', 'too-many-streams'],
  })
  async one(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    await this.apps.get(caller, id);
    const statusOf = (app: App): unknown[] =>
      statusEntries(app, this.cluster.seen(app), this.settings);
    return this.answer(reply, this.streamOf(caller.tenant, statusOf, refOfId(id)), lastEventId);
  }

  private streamOf(tenant: string, statusOf: (app: App) => unknown[], only?: AppRef): AppStream {
    if (this.feed.size >= this.settings.streams) throw tooManyStreams('too many streams are open');
    const { feed, store } = this;
    return new AppStream({ feed, store, tenant, statusOf }, only);
  }

  private answer(
    reply: FastifyReply,
    stream: AppStream,
    lastEventId: string | undefined,
  ): StreamableFile {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, this.feed.ended]);
    reply.header('x-accel-buffering', 'no');
    const body = Readable.from(stream.events(lastEventId, signal), { objectMode: false });
    return new StreamableFile(body, { type: events.type });
  }
}
