import {
  CallerParam,
  etagOf,
  Idempotency,
  IdempotencyParam,
  Operation,
  sendAnswer,
  zBody,
  zQuery,
  type Caller,
  type IdempotentRequest,
} from '@glacis/http';
import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Put,
  Query,
  Res,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { BackendDeletion } from './backend-deletion.js';
import { BackendReader } from './backend-reader.js';
import { backendJson, type BackendInput } from './backend.js';
import {
  backendBody,
  backendListQuery,
  backendListReply,
  backendReply,
  newBackendBody,
  type BackendListQuery,
  type NewBackendBody,
} from './backend.schema.js';
import { BackendsService, namingConflicts } from './backends.service.js';

@Controller('backends')
export class BackendsController {
  constructor(
    @Inject(BackendsService) private readonly backends: BackendsService,
    @Inject(BackendReader) private readonly reader: BackendReader,
    @Inject(BackendDeletion) private readonly deletion: BackendDeletion,
    @Inject(Idempotency) private readonly idempotency: Idempotency,
  ) {}

  @Post(['', 'backend'])
  @Operation({
    access: 'member',
    summary: 'Register a backend: a host, or with `entity_type` cvm a confidential VM',
    body: newBackendBody,
    errors: ['not-found', 'backend-exists', 'idempotency-key-reused'],
  })
  async create(
    @CallerParam() caller: Caller,
    @IdempotencyParam() request: IdempotentRequest,
    @Body(zBody(newBackendBody)) { entity_type: entityType, ...rest }: NewBackendBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const input = { ...rest, entityType };
    const answer = await namingConflicts(input, () =>
      this.idempotency.run(request, (tx) => this.backends.create(tx, caller, input)),
    );
    return sendAnswer(reply, answer);
  }

  @Get(['', 'backends'])
  @Operation({
    access: 'member',
    summary: 'List backends',
    query: backendListQuery,
    reply: backendListReply,
  })
  async list(
    @CallerParam() caller: Caller,
    @Query(zQuery(backendListQuery)) query: BackendListQuery,
  ): Promise<unknown> {
    const { total, backends } = await this.reader.list(caller.tenant, query);
    return {
      total,
      offset: query.offset || undefined,
      limit: query.limit,
      backends: backends.map(backendJson),
    };
  }

  @Get(':id')
  @Operation({
    access: 'member',
    summary: 'Show a backend',
    reply: backendReply,
    errors: ['not-found'],
  })
  async show(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const backend = await this.reader.get(caller.tenant, id);
    reply.header('etag', etagOf(backend.rowVersion));
    return backendJson(backend);
  }

  @Put(':id')
  @HttpCode(200)
  @Operation({
    access: 'member',
    summary: 'Replace the settable members of a backend',
    body: backendBody,
    errors: ['not-found', 'backend-exists', 'precondition-failed'],
  })
  async replace(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Body(zBody(backendBody)) input: BackendInput,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    await this.backends.replace(caller, id, { input, ifMatch });
  }

  @Delete(':id')
  @HttpCode(204)
  @Operation({
    access: 'member',
    summary: 'End the stream of a backend, revoke its certificates and remove it',
    status: 204,
    errors: ['not-found', 'precondition-failed'],
  })
  async remove(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    await this.deletion.delete(caller, id, ifMatch);
  }
}
