import { Operation } from '@glacis/http';
import { Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { z } from 'zod';
import { ContractExchange, Exchanged, type Exchange } from './contract-exchange.js';
import { createShape, registerShape, submitShape } from './shapes.js';
import { CreateJob } from './create-job.service.js';
import { KnownJob } from './known-job.js';
import { RegisterOwner } from './register.service.js';
import { JobStatus } from './status.service.js';
import { SubmitJob } from './submit.service.js';

const common = { access: 'public', noStore: true, reply: z.looseObject({}) } as const;
const post = { ...common, rawBody: true, bodyLimit: 1 << 20 } as const;

/** The routes that clients of QueryShield know (`jobs.md` 2), answered to the byte. */
@Controller()
export class ContractController {
  constructor(
    @Inject(ContractExchange) private readonly exchange: ContractExchange,
    @Inject(KnownJob) private readonly known: KnownJob,
    @Inject(CreateJob) private readonly createJob: CreateJob,
    @Inject(RegisterOwner) private readonly registerOwner: RegisterOwner,
    @Inject(SubmitJob) private readonly submitJob: SubmitJob,
    @Inject(JobStatus) private readonly jobStatus: JobStatus,
  ) {}

  @Post('create_job')
  @HttpCode(200)
  @Operation({
    ...post,
    body: createShape,
    summary: 'Create a job: a query, its schema, and who computes it',
  })
  create(@Exchanged() exchange: Exchange): Promise<string> {
    return this.exchange.post(exchange, {
      once: 'create_job',
      secret: 'analyst_token',
      allow: (caller) => this.createJob.allow(caller),
      run: (caller, body) => this.createJob.create(caller, body),
    });
  }

  @Post('register_data_owner')
  @HttpCode(200)
  @Operation({
    ...post,
    body: registerShape,
    summary: 'Register an owner and get its upload links',
  })
  register(@Exchanged() exchange: Exchange): Promise<string> {
    return this.exchange.post(exchange, {
      allow: (caller) => this.known.allow(caller, 'owner'),
      run: (caller, body) => this.registerOwner.register(caller, body),
    });
  }

  @Post('submit_job')
  @HttpCode(200)
  @Operation({
    ...post,
    body: submitShape,
    summary: 'Validate the data of a job and queue its run',
  })
  submit(@Exchanged() exchange: Exchange): Promise<string> {
    return this.exchange.post(exchange, {
      once: 'submit_job',
      allow: (caller) => this.known.allow(caller, 'analyst'),
      run: (caller, body) => this.submitJob.submit(caller, body),
    });
  }

  @Get('get_status')
  @Operation({
    ...common,
    summary: 'Where a submitted job is',
    head: false,
    query: z.object({ job_id: z.string() }),
  })
  status(@Exchanged() exchange: Exchange): Promise<string> {
    return this.exchange.get(exchange, {
      allow: (caller) => this.jobStatus.allow(caller),
      run: (caller, query) => this.jobStatus.status(caller, query),
    });
  }
}
