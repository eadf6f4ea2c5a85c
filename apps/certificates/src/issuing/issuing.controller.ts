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
import { certsPaths, EntityTypePipe, namesType } from '../http-params.js';
import type { TenantEntityType } from '../names/entity-directory.js';
import { CsrReader } from './csr-reader.js';
import { csrBody, csrQuery, wantedByCsr } from './csr-request.js';
import { IssueWriter, type IssueScope } from './issue-writer.js';
import { issueBody, type IssueBody } from './issue-request.js';
import { Issuing, type ApprovedIssue, type CsrRequest, type Target } from './issuing.service.js';
import { leafJson } from './leaf-json.js';
import type { SignedLeaf } from './leaf-signer.js';
import { runPrepared } from './run-prepared.js';

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

const created = (leaf: SignedLeaf, body: unknown): Answer => ({
  status: 201,
  headers: { location: `/certs/${leaf.row.serial}` },
  body,
});

@Controller(certsPaths)
export class IssuingController {
  constructor(
    private readonly issuing: Issuing,
    private readonly writer: IssueWriter,
    private readonly csrs: CsrReader,
    private readonly idempotency: Idempotency,
  ) {}

  @Post('issue/:entityType/:entityId')
  @Operation({
    access: 'member',
    summary: 'Issue a certificate, with a key made here',
    body: issueBody,
    reply: serialReply,
    errors: [...errors, 'profile-needs-csr'],
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
    return this.answer(request, reply, () => this.issuing.approve(caller, { target, wish }), bare);
  }

  /** The form of August 2024, without an entity type. */
  @Post('issue/:entityId')
  @Operation({
    access: 'member',
    summary: 'Issue a certificate for a backend',
    body: issueBody,
    reply: leafReply,
    errors: [...errors, 'profile-needs-csr'],
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
    const show = namesType(accept, 'application/json') ? leafJson : bare;
    return this.answer(request, reply, () => this.issuing.approve(caller, { target, wish }), show);
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
  async issueFromCsr(
    @CallerParam() caller: Caller,
    @IdempotencyParam() request: IdempotentRequest,
    @Param('entityId') entityId: string,
    @Query('entity_type', EntityTypePipe) entityType: TenantEntityType,
    @Query(zQuery(csrQuery)) query: z.infer<typeof csrQuery>,
    @Body(zBody(csrBody)) body: z.infer<typeof csrBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const order: CsrRequest = {
      target: { entityType, entityId },
      wanted: await wantedByCsr(this.csrs, body.csr),
      ttlMs: query.ttl,
      profile: query.profile,
      source: 'csr',
    };
    return this.answer(request, reply, () => this.issuing.approveCsr(caller, order), leafJson);
  }

  /** Without a key to repeat by, an issue shares its transaction with others. */
  private async answer(
    request: IdempotentRequest,
    reply: FastifyReply,
    approve: () => Promise<ApprovedIssue>,
    show: (leaf: SignedLeaf) => unknown,
  ): Promise<unknown> {
    const write = async (scope: IssueScope, approved: ApprovedIssue): Promise<Answer> => {
      const leaf = await this.issuing.write(scope, approved);
      return created(leaf, show(leaf));
    };
    const answer =
      request.key === undefined
        ? await write(this.writer.shared(), await approve())
        : await runPrepared(this.idempotency, request, approve, (tx, approved) =>
            write(this.writer.inside(tx), approved),
          );
    return sendAnswer(reply, answer);
  }
}
