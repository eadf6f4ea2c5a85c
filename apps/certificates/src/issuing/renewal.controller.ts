import { Body, Controller, Headers, Param, Patch, Query, Res } from '@nestjs/common';
import {
  CallerParam,
  Idempotency,
  IdempotencyParam,
  Operation,
  sendAnswer,
  zBody,
  zQuery,
  type Caller,
  type IdempotentRequest,
} from '@glacis/http';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { shortTime } from '../certificates/certificate.entity.js';
import { certsPaths, namesType, SerialPipe } from '../http-params.js';
import { ttl } from './issue-request.js';
import type { SignedLeaf } from './leaf-signer.js';
import { Renewal, type ApprovedRenewal } from './renewal.service.js';
import { runPrepared } from './run-prepared.js';

const renewBody = z.object({ ttl, revoke_old: z.boolean().nullish() });
const renewQuery = z.object({
  ttl,
  revoke_old: z
    .enum(['true', 'false'])
    .optional()
    .transform((text) => (text === undefined ? undefined : text === 'true')),
});

const renewReply = z.object({
  serial_number: z.string(),
  expiry_time: z.string(),
  replaces: z.string(),
});

@Controller(certsPaths)
export class RenewalController {
  constructor(
    private readonly renewal: Renewal,
    private readonly idempotency: Idempotency,
  ) {}

  @Patch(':serial/renew')
  @Operation({
    access: 'member',
    summary: 'Renew a certificate: a new serial for the same key',
    body: renewBody,
    query: renewQuery,
    reply: renewReply,
    errors: ['certificate-revoked', 'certificate-expired', 'name-not-allowed', 'ca-unavailable'],
  })
  async renew(
    @CallerParam() caller: Caller,
    @IdempotencyParam() request: IdempotentRequest,
    @Param('serial', SerialPipe) serial: string,
    @Query(zQuery(renewQuery)) query: z.infer<typeof renewQuery>,
    @Body(zBody(renewBody)) body: z.infer<typeof renewBody>,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const wish = {
      ttlMs: body.ttl ?? query.ttl,
      revokeOld: body.revoke_old ?? query.revoke_old ?? false,
    };
    const approve = (): Promise<ApprovedRenewal> => this.renewal.approve(caller, { serial, wish });
    const answer = await runPrepared(this.idempotency, request, approve, async (tx, approved) => {
      const leaf = await this.renewal.renew(tx, caller, approved);
      return {
        status: 200,
        headers: { location: `/certs/${leaf.row.serial}` },
        body: namesType(accept, 'application/json') ? renewed(leaf) : undefined,
      };
    });
    return sendAnswer(reply, answer);
  }
}

function renewed({ row, notAfter }: SignedLeaf): unknown {
  return {
    serial_number: row.serial,
    expiry_time: shortTime(notAfter),
    replaces: row.renewed_from,
  };
}
