import { Operation, RequestParam, zBody, type Visitor } from '@glacis/http';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import type { JobsCaller } from '../access/callers.js';
import { JobAccess } from '../access/job-access.js';
import { Who } from '../access/who.js';
import { ownerName } from '../contract/register-body.js';
import { ClaimsService } from './claims.service.js';
import { OwnersService } from './owners.service.js';

const anyObject = z.looseObject({});
const common = { access: 'public', noStore: true, head: false, reply: anyObject } as const;

const isOwnerName = (value: string): boolean => {
  try {
    return ownerName(value) === value;
  } catch {
    return false;
  }
};
const inviteBody = z.object({
  data_owner: z.string().refine(isOwnerName, {
    error: '1 to 256 bytes, no control characters, no lone surrogates',
  }),
});
const claimBody = z.object({
  claim: z.string().max(200),
  owner_key: z
    .string()
    .regex(/^[\w-]{43}$/)
    .nullish(),
});

/** Owners of jobs: who they are, what they have stored, and the links by which they come (`jobs.md` 3, 12). */
@Controller('jobs')
export class OwnersController {
  constructor(
    @Inject(JobAccess) private readonly access: JobAccess,
    @Inject(OwnersService) private readonly owners: OwnersService,
    @Inject(ClaimsService) private readonly claims: ClaimsService,
  ) {}

  @Post('claims')
  @HttpCode(200)
  @Operation({
    ...common,
    summary: 'Use the link of an owner, once',
    body: claimBody,
    errors: ['claim-used', 'claim-expired'],
  })
  claim(
    @RequestParam() visitor: Visitor,
    @Body(zBody(claimBody)) { claim, owner_key: key }: z.infer<typeof claimBody>,
  ): Promise<unknown> {
    return this.claims.use(visitor, { claim, key: key ?? null });
  }

  @Get(':id/owners')
  @Operation({ ...common, summary: 'List the owners of a job', errors: ['not-found'] })
  async list(@Who() caller: JobsCaller, @Param('id') id: string): Promise<unknown> {
    const { job } = await this.access.find(id, caller, 'analyst', 'admin');
    return { items: await this.owners.list(job) };
  }

  @Post(':id/owners')
  @HttpCode(201)
  @Operation({
    ...common,
    summary: 'Make a one-use link for an owner',
    body: inviteBody,
    errors: ['not-found', 'submitted'],
  })
  async invite(
    @Who() caller: JobsCaller,
    @Param('id') id: string,
    @Body(zBody(inviteBody)) { data_owner: owner }: z.infer<typeof inviteBody>,
  ): Promise<unknown> {
    const { job } = await this.access.find(id, caller, 'analyst', 'admin');
    return this.claims.invite(caller, job, owner);
  }

  @Delete(':id/owners/:owner')
  @HttpCode(204)
  @Operation({
    ...common,
    reply: undefined,
    summary: 'Take the registration of an owner back, with its files',
    status: 204,
    errors: ['not-found', 'submitted'],
  })
  async unregister(
    @Who() caller: JobsCaller,
    @Param('id') id: string,
    @Param('owner') owner: string,
  ): Promise<void> {
    const accessed = await this.access.find(id, caller, 'owner', 'analyst', 'admin');
    await this.owners.unregister(caller, accessed, owner);
  }
}
