import { Readable } from 'node:stream';
import { Operation } from '@glacis/http';
import {
  Controller,
  Get,
  Headers,
  Inject,
  Param,
  Query,
  Res,
  StreamableFile,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { JobsCaller } from '../access/callers.js';
import { JobAccess, type AccessedJob } from '../access/job-access.js';
import { Who } from '../access/who.js';
import { JobFeed } from '../jobs/job-feed.js';
import { readQuery } from '../jobs/listing.js';
import { tooManyFollowers } from '../problems.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { EventStream, lookMs } from './event-stream.js';
import { logsQuery, ToldLogs } from './told-logs.store.js';
import { ToldEvents } from './told-events.store.js';

const sequence = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number)
  .meta({ type: 'integer', minimum: 0 });
const eventsQuery = z.object({ after: sequence.optional() });
const listedEvents = 1000;
const eventStream = 'text/event-stream';

/** What happens to a job, for whoever follows it (`jobs.md` 3). */
@Controller('jobs/:id')
export class FollowController {
  constructor(
    @Inject(JobAccess) private readonly access: JobAccess,
    @Inject(ToldEvents) private readonly told: ToldEvents,
    @Inject(ToldLogs) private readonly logs: ToldLogs,
    @Inject(JobFeed) private readonly feed: JobFeed,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
  ) {}

  @Get('logs')
  @Operation({
    access: 'public',
    summary: 'Read the log of a job, the newest lines first',
    query: logsQuery,
    reply: z.looseObject({}),
    noStore: true,
    errors: ['not-found', 'bad-query'],
  })
  async log(
    @Who() caller: JobsCaller,
    @Param('id') id: string,
    @Query() query: unknown,
  ): Promise<unknown> {
    const { job, role } = await this.access.find(id, caller, 'analyst', 'admin');
    return this.logs.of(job, role === 'admin', readQuery(logsQuery, query));
  }

  @Get('events')
  @Operation({
    access: 'public',
    summary: 'Events of a job: a list, or with `Accept: text/event-stream` as they come',
    query: eventsQuery,
    reply: z.looseObject({}),
    head: false,
    noStore: true,
    errors: ['not-found', 'bad-query', 'too-many-followers'],
  })
  async events(
    @Who() caller: JobsCaller,
    @Param('id') id: string,
    @Query() query: unknown,
    @Headers() headers: Record<string, string | undefined>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const accessed = await this.access.find(id, caller, 'analyst', 'owner', 'admin');
    const { after: asked } = readQuery(eventsQuery, query);
    const last = sequence.safeParse(headers['last-event-id']).data;
    const after = asked ?? last ?? 0;
    if (headers['accept']?.includes(eventStream)) return this.stream(accessed, after, reply);
    return { items: await this.told.after(accessed, after, listedEvents) };
  }

  private stream(accessed: AccessedJob, after: number, reply: FastifyReply): StreamableFile {
    if (this.feed.size >= this.settings.eventStreams)
      throw tooManyFollowers('too many streams are open');
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, this.feed.ended]);
    reply.header('x-accel-buffering', 'no');
    const stream = new EventStream(accessed, this.told, this.feed);
    const closeIfBehind = async (): Promise<void> => {
      if (await stream.isBehind()) reply.raw.destroy();
    };
    // A look that fails is followed by the next.
    const looks = setInterval(() => void closeIfBehind().catch(() => undefined), lookMs);
    reply.raw.once('close', () => clearInterval(looks));
    const body = Readable.from(stream.text(after, signal), { objectMode: false });
    return new StreamableFile(body, { type: eventStream });
  }
}
