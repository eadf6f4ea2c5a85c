import { Body, Controller, Delete, HttpCode, Param, Patch, Query } from '@nestjs/common';
import {
  CallerParam,
  Operation,
  plainText,
  problems,
  zBody,
  zQuery,
  type Caller,
} from '@glacis/http';
import { z } from 'zod';
import { certsPaths, SerialPipe } from '../http-params.js';
import { reasonCode, revocationReasons } from './reasons.js';
import { Revocation, revokerOf } from './revocation.service.js';

const reason = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((given, context) => {
    if (given === null || given === undefined) return undefined;
    const code = reasonCode(given);
    if (code !== null) return code;
    const message = `expected one of ${Object.keys(revocationReasons).join(', ')} or its number`;
    context.addIssue({ code: 'custom', message, input: given });
    return z.NEVER;
  });
const revokeBody = z.object({ reason });
const entityQuery = z.object({ entity_id: plainText(256) });

@Controller()
export class RevocationController {
  constructor(private readonly revocation: Revocation) {}

  @Patch(certsPaths.map((base) => `${base}/:serial/revoke`))
  @Operation({
    access: 'member',
    summary: 'Revoke a certificate',
    body: revokeBody,
    query: revokeBody,
  })
  async revoke(
    @CallerParam() caller: Caller,
    @Param('serial', SerialPipe) serial: string,
    @Query(zQuery(revokeBody)) query: z.infer<typeof revokeBody>,
    @Body(zBody(revokeBody)) body: z.infer<typeof revokeBody>,
  ): Promise<void> {
    await this.revocation.revoke({
      serial,
      tenant: caller.tenant,
      reason: body.reason ?? query.reason ?? revocationReasons.unspecified,
      by: revokerOf(caller),
    });
  }

  @Delete(certsPaths.map((base) => `${base}/:entityId/delete`))
  @HttpCode(204)
  @Operation({
    access: 'member',
    summary: 'Revoke every certificate of an entity',
    status: 204,
  })
  async revokeEntity(
    @CallerParam() caller: Caller,
    @Param('entityId') entityId: string,
  ): Promise<void> {
    await this.revokeAllOf(caller, entityId);
  }

  /** The form of 2025. */
  @Delete(':domainId/certs')
  @HttpCode(204)
  @Operation({
    access: 'member',
    summary: 'Revoke every certificate of an entity',
    query: entityQuery,
    status: 204,
  })
  async revokeEntityByQuery(
    @CallerParam() caller: Caller,
    @Query(zQuery(entityQuery)) query: z.infer<typeof entityQuery>,
  ): Promise<void> {
    await this.revokeAllOf(caller, query.entity_id);
  }

  private async revokeAllOf(caller: Caller, entityId: string): Promise<void> {
    const revoked = await this.revocation.revokeEntity({
      tenant: caller.tenant,
      entityId,
      reason: revocationReasons.cessationOfOperation,
      by: revokerOf(caller),
    });
    if (revoked === null) throw problems.notFound();
  }
}
