import { Operation, type OperationOptions } from '@glacis/http';
import { Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import type { JobsCaller } from '../access/callers.js';
import { JobAccess } from '../access/job-access.js';
import { Who } from '../access/who.js';
import { ResultsService } from './results.service.js';

const common: Omit<OperationOptions, 'summary'> = {
  access: 'public',
  noStore: true,
  head: false,
  errors: ['not-found', 'not-finished', 'expired'],
};

/** Results, for the analyst only (`jobs.md` 3, 3.1). */
@Controller('jobs/:id/results')
export class ResultsController {
  constructor(
    @Inject(JobAccess) private readonly access: JobAccess,
    @Inject(ResultsService) private readonly results: ResultsService,
  ) {}

  @Get()
  @Operation({
    ...common,
    summary: 'Links to the result files, with all that opens them',
    reply: z.looseObject({}),
  })
  async get(@Who() caller: JobsCaller, @Param('id') id: string): Promise<unknown> {
    const { job } = await this.access.find(id, caller, 'analyst');
    return this.results.of(caller, job);
  }

  @Post('ack')
  @HttpCode(204)
  @Operation({
    ...common,
    summary: 'Say that the result was read: it need not be kept longer',
    status: 204,
  })
  async acknowledge(@Who() caller: JobsCaller, @Param('id') id: string): Promise<void> {
    const { job } = await this.access.find(id, caller, 'analyst');
    await this.results.acknowledge(caller, job);
  }
}
