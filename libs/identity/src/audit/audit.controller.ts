import { CallerParam, Operation, pageQuery, plainText, zQuery, type Caller } from '@glacis/http';
import { Store } from '@glacis/store';
import { Controller, Get, Inject, Query, type Type } from '@nestjs/common';
import { z } from 'zod';
import { adminScope } from '../administrators.js';
import { listAudit, type ListedRecord } from './audit.store.js';
import { verifyAudit, type AuditVerification } from './verify-audit.js';

const listQuery = pageQuery.extend({
  action: plainText(255).optional(),
  subject: plainText(255).optional(),
});

const entry = z.object({
  id: z.string(),
  sequence: z.number().nullable(),
  at: z.string(),
  actor: z.string(),
  tenant: z.string().nullable(),
  action: z.string(),
  subject: z.string(),
  request_id: z.string().nullable(),
  before: z.unknown(),
  after: z.unknown(),
  detail: z.unknown(),
  hash: z.string().nullable(),
});

const listReply = z.object({
  total: z.number(),
  offset: z.number().optional(),
  limit: z.number(),
  entries: z.array(entry),
});

const verificationReply = z.object({
  intact: z.boolean(),
  sealed: z.number(),
  unsealed: z.number(),
  head: z.string().nullable(),
  broken_at: z.number().nullable(),
  reason: z.enum(['missing', 'reordered', 'changed', 'head']).nullable(),
});

/** The routes of one service's trail; its own class each, as the path carries the service. */
export function auditController(service: string): Type<unknown> {
  @Controller(`audit/${service}`)
  class AuditController {
    private underWay: Promise<AuditVerification> | undefined;

    constructor(@Inject(Store) private readonly store: Store) {}

    @Get()
    @Operation({
      access: 'administrator',
      summary: `Audit trail of ${service}, newest first`,
      description:
        'An administrator sees the rows of the own tenant, a platform administrator all.',
      query: listQuery,
      reply: listReply,
    })
    async list(
      @CallerParam() caller: Caller,
      @Query(zQuery(listQuery)) query: z.output<typeof listQuery>,
    ): Promise<z.input<typeof listReply>> {
      const { offset, limit, ...filter } = query;
      const scope = adminScope(caller.principal);
      const tenant = scope === 'all' ? undefined : scope.tenant;
      const { total, rows } = await listAudit(this.store, { ...filter, tenant }, { offset, limit });
      const entries = rows.map(view);
      return offset === 0 ? { total, limit, entries } : { total, offset, limit, entries };
    }

    @Get('verification')
    @Operation({
      access: 'platform',
      summary: `Recomputes the hash chain of the audit trail of ${service}`,
      reply: verificationReply,
    })
    async verify(): Promise<z.input<typeof verificationReply>> {
      // Callers at the same time share one pass over the trail.
      this.underWay ??= verifyAudit(this.store).finally(() => (this.underWay = undefined));
      const { verified, unsealed, head, fault } = await this.underWay;
      return {
        intact: fault === null,
        sealed: verified,
        unsealed,
        head: head?.hash.toString('hex') ?? null,
        broken_at: fault?.sequence ?? null,
        reason: fault?.kind ?? null,
      };
    }
  }
  return AuditController;
}

function view(row: ListedRecord): z.input<typeof entry> {
  return { ...row, at: row.at.toISOString(), hash: row.hash?.toString('hex') ?? null };
}
