import {
  CallerParam,
  Idempotency,
  IdempotencyParam,
  Operation,
  pageQuery,
  plainText,
  problems,
  zBody,
  zParam,
  zQuery,
  type Caller,
  type IdempotentRequest,
  type OperationOptions,
} from '@glacis/http';
import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
} from '@nestjs/common';
import { z } from 'zod';
import { BackendReader } from '../backends/backend-reader.js';
import { Terminations } from './terminations.service.js';
import type { TerminationRequest, TerminationType } from './terminations.store.js';

const typeParam = z.enum(['0', '1']).transform((text) => Number(text) as TerminationType);
const terminateBody = z.object({ reason: plainText(256).optional() });
type Page = z.output<typeof pageQuery>;

const terminationReply = z.object({
  id: z.uuid(),
  type: z.number().int(),
  reason: z.string().optional(),
  requested_by: z.string(),
  requested_at: z.iso.datetime(),
  state: z.enum(['recorded', 'delivered', 'closed', 'not_connected']),
  closed_at: z.iso.datetime().optional(),
});
const terminationListReply = z.object({
  total: z.number().int(),
  offset: z.number().int().optional(),
  limit: z.number().int(),
  terminations: z.array(terminationReply),
});

const terminate: Omit<OperationOptions, 'summary'> = {
  access: 'member',
  params: z.object({ id: z.string(), type: z.enum(['0', '1']) }),
  status: 204,
  errors: ['not-found'],
  // A link that ends a stream must act each time it is followed.
  noStore: true,
};

@Controller('backends')
export class TerminationsController {
  constructor(
    @Inject(Terminations) private readonly terminations: Terminations,
    @Inject(BackendReader) private readonly backends: BackendReader,
    @Inject(Idempotency) private readonly idempotency: Idempotency,
  ) {}

  @Get('terminate/:id/:type')
  @HttpCode(204)
  @Operation({ ...terminate, summary: 'End the stream of a backend (older clients)', head: false })
  async terminateByGet(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('type', zParam(typeParam)) type: TerminationType,
    @Headers() headers: Record<string, string | undefined>,
  ): Promise<void> {
    refusePrefetch(headers);
    await this.backends.get(caller.tenant, id);
    await this.terminations.request(wishOf(caller, id, { type }));
  }

  @Post('terminate/:id/:type')
  @HttpCode(204)
  @Operation({ ...terminate, summary: 'End the stream of a backend', body: terminateBody })
  async terminateByPost(
    @CallerParam() caller: Caller,
    @IdempotencyParam() request: IdempotentRequest,
    @Param('id') id: string,
    @Param('type', zParam(typeParam)) type: TerminationType,
    @Body(zBody(terminateBody)) { reason }: z.output<typeof terminateBody>,
  ): Promise<void> {
    await this.backends.get(caller.tenant, id);
    await this.idempotency.run(request, async (tx) => {
      await this.terminations.requestIn(tx, wishOf(caller, id, { type, reason }));
      return { status: 204 };
    });
  }

  @Get(':id/terminations')
  @Operation({
    access: 'member',
    summary: 'List the termination requests of a backend, newest first',
    query: pageQuery,
    reply: terminationListReply,
    errors: ['not-found'],
  })
  async list(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Query(zQuery(pageQuery)) page: Page,
  ): Promise<unknown> {
    await this.backends.get(caller.tenant, id);
    const { total, requests } = await this.terminations.list(id, page);
    return {
      total,
      offset: page.offset || undefined,
      limit: page.limit,
      terminations: requests.map(requestJson),
    };
  }
}

function wishOf(
  caller: Caller,
  backendId: string,
  { type, reason }: { type: TerminationType; reason?: string },
): Parameters<Terminations['request']>[0] {
  return {
    backendId,
    tenant: caller.tenant,
    type,
    reason,
    requestedBy: caller.principal.subject,
    requestId: caller.requestId,
  };
}

/** A link that is only looked at in advance must not end anything. */
function refusePrefetch(headers: Record<string, string | undefined>): void {
  const purpose = `${headers['sec-purpose'] ?? ''} ${headers['purpose'] ?? ''}`;
  if (purpose.toLowerCase().includes('prefetch')) {
    throw problems.malformed('a prefetch cannot terminate', { members: { field: 'Purpose' } });
  }
}

function requestJson(request: TerminationRequest): Record<string, unknown> {
  return {
    id: request.id,
    type: request.type,
    reason: request.reason ?? undefined,
    requested_by: request.requestedBy,
    requested_at: request.requestedAt,
    state: request.state,
    closed_at: request.closedAt ?? undefined,
  };
}
