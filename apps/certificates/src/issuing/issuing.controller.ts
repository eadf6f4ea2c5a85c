import { Body, Controller, Headers, Param, Post, Query, Res } from '@nestjs/common';
import {
  CallerParam,
  Idempotency,
  IdempotencyParam,
  Operation,
  sendAnswer,
  zBody,
  zQuery,
  type Answer,
  type Caller,
  type IdempotentRequest,
} from '@glacis/http';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { shortTime } from '../certificates/certificate.entity.js';
import { EntityTypePipe, namesType } from '../http-params.js';
import type { TenantEntityType } from '../names/entity-directory.js';
import { csrBody, csrQuery, wantedByCsr } from './csr-request.js';
import { IssueWriter, type IssueScope } from './issue-writer.js';
import { issueBody, type IssueBody } from './issue-request.js';
import { Issuing, type Target } from './issuing.service.js';
import type { SignedLeaf } from './leaf-signer.js';

const serialReply = z.object({ serial_number: z.string() });
const leafReply = z.object({
  serial_number: z.string(),
  certificate: z.string(),
  revoked: z.boolean(),
  expiry_time: z.string(),
  entity_id: z.string(),
});
const errors = ['name-not-allowed', 'ca-unavailable', 'idempotency-key-reused'];

function bare({ row }: SignedLeaf): unknown {
  return { serial_number: row.serial };
}

function full(leaf: SignedLeaf): unknown {
  return {
    serial_number: leaf.row.serial,
    certificate: leaf.filePem,
    revoked: false,
    expiry_time: shortTime(leaf.notAfter),
    entity_id: leaf.row.entity_id,
  };
}

const created = (leaf: SignedLeaf, body: unknown): Answer => ({
  status: 201,
  headers: { location: `/certs/${leaf.row.serial}` },
  body,
});

@Controller('certs')
export class IssuingController {
  constructor(
    private readonly issuing: Issuing,
    private readonly writer: IssueWriter,
    private readonly idempotency: Idempotency,
  ) {}

  @Post('issue/:entityType/:entityId')
  @Operation({
    access: 'member',
    summary: 'Issue a certificate, with a key made here',
    body: issueBody,
    reply: serialReply,
    errors,
  })
  issue(
    @CallerParam() caller: Caller,
    @IdempotencyParam() request: IdempotentRequest,
    @Param('entityType', EntityTypePipe) entityType: TenantEntityType,
    @Param('entityId') entityId: string,
    @Body(zBody(issueBody)) wish: IssueBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const target = { entityType, entityId };
    return this.answer(request, reply, async (scope) => {
      const leaf = await this.issuing.issue(scope, caller, { target, wish });
      return created(leaf, bare(leaf));
    });
  }

  /** The form of August 2024, without an entity type. */
  @Post('issue/:entityId')
  @Operation({
    access: 'member',
    summary: 'Issue a certificate for a backend',
    body: issueBody,
    reply: leafReply,
    errors,
  })
  issueForBackend(
    @CallerParam() caller: Caller,
    @IdempotencyParam() request: IdempotentRequest,
    @Param('entityId') entityId: string,
    @Headers('accept') accept: string | undefined,
    @Body(zBody(issueBody)) wish: IssueBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const target: Target = { entityType: 'backend', entityId };
    return this.answer(request, reply, async (scope) => {
      const leaf = await this.issuing.issue(scope, caller, { target, wish });
      return created(leaf, namesType(accept, 'application/json') ? full(leaf) : bare(leaf));
    });
  }

  @Post('csrs/:entityId')
  @Operation({
    access: 'member',
    summary: 'Issue a certificate for the key of a CSR',
    body: csrBody,
    query: csrQuery,
    reply: leafReply,
    errors: [...errors, 'csr-rejected'],
  })
  issueFromCsr(
    @CallerParam() caller: Caller,
    @IdempotencyParam() request: IdempotentRequest,
    @Param('entityId') entityId: string,
    @Query('entity_type', EntityTypePipe) entityType: TenantEntityType,
    @Query(zQuery(csrQuery)) query: z.infer<typeof csrQuery>,
    @Body(zBody(csrBody)) body: z.infer<typeof csrBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const wanted = wantedByCsr(body.csr);
    const target = { entityType, entityId };
    return this.answer(request, reply, async (scope) => {
      const leaf = await this.issuing.issueFromCsr(scope, caller, {
        target,
        wanted,
        ttlMs: query.ttl,
      });
      return created(leaf, full(leaf));
    });
  }

  /** Without a key to repeat by, an issue shares its transaction with others. */
  private async answer(
    request: IdempotentRequest,
    reply: FastifyReply,
    work: (scope: IssueScope) => Promise<Answer>,
  ): Promise<unknown> {
    const answer =
      request.key === undefined
        ? await work(this.writer.shared())
        : await this.idempotency.run(request, (tx) => work(this.writer.inside(tx)));
    return sendAnswer(reply, answer);
  }
}
