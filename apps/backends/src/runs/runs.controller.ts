import { encodeRun } from '@glacis/grpc';
import {
  CallerParam,
  Idempotency,
  IdempotencyParam,
  Operation,
  pageQuery,
  sendAnswer,
  zBody,
  zQuery,
  type Caller,
  type IdempotentRequest,
} from '@glacis/http';
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BackendReader } from '../backends/backend-reader.js';
import { wisherOf } from '../commands/asker.js';
import { asProblem } from '../problems.js';
import { runBody, runOf, type RunBody } from './run.schema.js';
import { RunsService } from './runs.service.js';
import type { ListedRun } from './runs.store.js';

const runReply = z.object({ computation_id: z.string(), queue_position: z.number().int() });
const runListReply = z.object({
  total: z.number().int(),
  offset: z.number().int().optional(),
  limit: z.number().int(),
  runs: z.array(
    z.object({
      computation_id: z.string(),
      state: z.enum(['waiting', 'sent', 'accepted', 'failed']),
      requested_at: z.iso.datetime(),
      sent_at: z.iso.datetime().optional(),
      answered_at: z.iso.datetime().optional(),
      error: z.string().optional(),
      agent_port: z.string().optional(),
    }),
  ),
});
const cannot = ['not-found', 'not-connected', 'dialect-cannot'];

@Controller('backends/:id/runs')
export class RunsController {
  constructor(
    @Inject(RunsService) private readonly runs: RunsService,
    @Inject(BackendReader) private readonly backends: BackendReader,
    @Inject(Idempotency) private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @HttpCode(202)
  @Operation({
    access: 'member',
    summary: 'Send a computation to the connected manager or agent',
    body: runBody,
    status: 202,
    reply: runReply,
    errors: [...cannot, 'kbs-host-not-allowed', 'run-queue-full', 'idempotency-key-reused'],
  })
  async run(
    @CallerParam() caller: Caller,
    @IdempotencyParam() request: IdempotentRequest,
    @Param('id') id: string,
    @Body(zBody(runBody)) body: RunBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    await this.backends.get(caller.tenant, id);
    const answer = await this.idempotency.runApart(request, async () => {
      const { queuePosition } = await this.runs
        .run(wisherOf(caller), id, encodeRun(runOf(body)))
        .catch(asProblem);
      return { status: 202, body: { computation_id: body.id, queue_position: queuePosition } };
    });
    return sendAnswer(reply, answer);
  }

  @Get()
  @Operation({
    access: 'member',
    summary: 'List the runs of a backend, newest first',
    query: pageQuery,
    reply: runListReply,
    errors: ['not-found'],
  })
  async list(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Query(zQuery(pageQuery)) page: z.output<typeof pageQuery>,
  ): Promise<unknown> {
    await this.backends.get(caller.tenant, id);
    const { total, runs } = await this.runs.list(id, page);
    return {
      total,
      offset: page.offset || undefined,
      limit: page.limit,
      runs: runs.map(runJson),
    };
  }

  @Delete(':computationId')
  @HttpCode(204)
  @Operation({
    access: 'member',
    summary: 'Stop a computation, or take it out of the queue',
    status: 204,
    errors: cannot,
  })
  async stop(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('computationId') computationId: string,
  ): Promise<void> {
    await this.backends.get(caller.tenant, id);
    await this.runs.stop(wisherOf(caller), id, computationId).catch(asProblem);
  }
}

function runJson(run: ListedRun): Record<string, unknown> {
  return {
    computation_id: run.computationId,
    state: stateOf(run),
    requested_at: run.requestedAt,
    sent_at: run.sentAt ?? undefined,
    answered_at: run.answeredAt ?? undefined,
    error: run.error ?? undefined,
    agent_port: run.agentPort ?? undefined,
  };
}

function stateOf({ sentAt, answeredAt, error }: ListedRun): string {
  if (sentAt === null) return 'waiting';
  if (answeredAt === null) return 'sent';
  return error === null ? 'accepted' : 'failed';
}
