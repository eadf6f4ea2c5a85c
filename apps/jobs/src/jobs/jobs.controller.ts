import { Operation, RequestParam, zBody, type Visitor } from '@glacis/http';
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
  Req,
  Res,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { JobAccess } from '../access/job-access.js';
import type { JobsCaller } from '../access/callers.js';
import { Who } from '../access/who.js';
import { ContractExchange } from '../contract/contract-exchange.js';
import { dryRunShape } from '../contract/shapes.js';
import { DryRun } from '../plan/dry-run.service.js';
import { listQuery, readQuery } from './listing.js';
import { JobsService } from './jobs.service.js';

const anyObject = z.looseObject({});
const common = { access: 'public', noStore: true, head: false, reply: anyObject } as const;
const cancelBody = z.object({ reason: z.string().max(1000).optional() });
const retryBody = z.object({ from: z.enum(['failed', 'start', 'created']) });

/** Jobs as their analysts, owners and admins see and steer them (`jobs.md` 3). */
@Controller('jobs')
export class JobsController {
  constructor(
    @Inject(JobsService) private readonly jobs: JobsService,
    @Inject(JobAccess) private readonly access: JobAccess,
    @Inject(ContractExchange) private readonly exchange: ContractExchange,
    @Inject(DryRun) private readonly dryRuns: DryRun,
  ) {}

  @Get()
  @Operation({
    ...common,
    summary: 'List jobs, the newest first',
    query: listQuery,
    errors: ['bad-query'],
  })
  async list(@Who() caller: JobsCaller, @Query() query: unknown): Promise<unknown> {
    return this.jobs.list(caller, readQuery(listQuery, query));
  }

  @Post('dry_run')
  @HttpCode(200)
  @Operation({
    ...common,
    rawBody: true,
    bodyLimit: 1 << 20,
    body: dryRunShape,
    summary: 'What a job would do, cost and tell, without making it',
  })
  dryRun(
    @RequestParam() visitor: Visitor,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return this.exchange.post(
      { visitor, request, reply },
      {
        allow: (caller) => this.dryRuns.allow(caller),
        run: async (_caller, body) => this.dryRuns.of(body),
      },
    );
  }

  @Get(':id')
  @Operation({ ...common, summary: 'Show a job', errors: ['not-found'] })
  async show(@Who() caller: JobsCaller, @Param('id') id: string): Promise<unknown> {
    return this.jobs.show(await this.access.find(id, caller, 'analyst', 'owner', 'admin'));
  }

  @Post(':id/cancel')
  @HttpCode(202)
  @Operation({
    ...common,
    summary: 'Cancel a job',
    body: cancelBody,
    errors: ['not-found', 'already-ended'],
  })
  async cancel(
    @Who() caller: JobsCaller,
    @Param('id') id: string,
    @Body(zBody(cancelBody)) { reason }: z.infer<typeof cancelBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const { job } = await this.access.find(id, caller, 'analyst', 'admin');
    const state = await this.jobs.cancel(caller, job, reason);
    reply.code(state === 'cancelled' ? 200 : 202);
    return { job_id: id, state };
  }

  @Post(':id/retry')
  @HttpCode(202)
  @Operation({
    ...common,
    summary: 'Try a job again that failed or was cancelled',
    body: retryBody,
    errors: ['not-found', 'not-failed', 'teardown-pending', 'not-retryable'],
  })
  async retry(
    @Who() caller: JobsCaller,
    @Param('id') id: string,
    @Body(zBody(retryBody)) { from }: z.infer<typeof retryBody>,
  ): Promise<unknown> {
    const { job } = await this.access.find(id, caller, 'analyst', 'admin');
    return { job_id: id, attempt: await this.jobs.retry(caller, job, from) };
  }

  @Delete(':id')
  @HttpCode(202)
  @Operation({
    ...common,
    summary: 'Delete a job with its buckets',
    status: 202,
    errors: ['not-found', 'running'],
  })
  async delete(@Who() caller: JobsCaller, @Param('id') id: string): Promise<unknown> {
    const { job } = await this.access.find(id, caller, 'analyst', 'admin');
    await this.jobs.delete(caller, job);
    return { job_id: id };
  }
}
