import {
  CallerParam,
  etagOf,
  freeText,
  Operation,
  plainText,
  zBody,
  zQuery,
  type Caller,
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
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { pageQuery, type PageQuery } from '../apps/app.schema.js';
import { cursorOf, positionIn, setPageHeaders } from '../apps/paging.js';
import { timeOrNull, timeText } from '../apps/views.js';
import { StateWords } from '../state-words.js';
import type { NodeConfig, NodeConfigInput } from './node-config.entity.js';
import { NodeConfigsService } from './node-configs.service.js';

const members = {
  title: plainText(255),
  config: z.record(z.string(), z.unknown()),
  type: plainText(255),
  nodeType: plainText(255),
};
const configBody = z.object({ ...members, message: freeText(4000).nullable().default(null) });
const configReply = z.object({
  id: z.string(),
  ...members,
  message: z.string().nullable(),
  creationTimestamp: z.string(),
  lastModifiedTimestamp: z.string().nullable(),
  version: z.int(),
});

@Controller('node-configs')
@UseInterceptors(StateWords)
export class NodeConfigsController {
  constructor(@Inject(NodeConfigsService) private readonly configs: NodeConfigsService) {}

  @Post()
  @HttpCode(200)
  @Operation({
    access: 'member',
    summary: 'Keep a template for the configuration of a component',
    body: configBody,
    reply: configReply,
    errors: ['invalid-request'],
  })
  async create(
    @CallerParam() caller: Caller,
    @Body(zBody(configBody)) body: NodeConfigInput,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return tagged(reply, await this.configs.create(caller, body));
  }

  @Get()
  @Operation({
    access: 'member',
    summary: 'List templates, the oldest first',
    query: pageQuery,
    reply: z.array(configReply),
    errors: ['invalid-request'],
  })
  async list(
    @CallerParam() caller: Caller,
    @Query(zQuery(pageQuery)) { limit, cursor }: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const after = cursor === undefined ? undefined : positionIn(cursor, (position) => position);
    const { configs, total } = await this.configs.list(caller, { after, limit });
    const last = configs.at(-1);
    const next = last && configs.length === limit ? cursorOf(last.id) : undefined;
    setPageHeaders(reply, { total, next });
    return configs.map(view);
  }

  @Get(':id')
  @Operation({
    access: 'member',
    summary: 'Show a template',
    reply: configReply,
    errors: ['configs-not-found'],
  })
  async get(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return tagged(reply, await this.configs.get(caller, id));
  }

  @Put(':id')
  @Operation({
    access: 'member',
    summary: 'Replace a template',
    body: configBody,
    reply: configReply,
    errors: ['configs-not-found', 'invalid-request', 'precondition-failed'],
  })
  async replace(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body(zBody(configBody)) body: NodeConfigInput,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return tagged(reply, await this.configs.replace(caller, { id, ifMatch }, body));
  }

  @Delete(':id')
  @HttpCode(204)
  @Operation({
    access: 'member',
    summary: 'Remove a template',
    status: 204,
    errors: ['configs-not-found', 'precondition-failed'],
  })
  async delete(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    await this.configs.delete(caller, { id, ifMatch });
  }
}

function tagged(reply: FastifyReply, config: NodeConfig): unknown {
  reply.header('etag', etagOf(config.version));
  return view(config);
}

function view(config: NodeConfig): z.input<typeof configReply> {
  const { tenant: _, createdAt, modifiedAt, version, ...rest } = config;
  return {
    ...rest,
    creationTimestamp: timeText(createdAt),
    lastModifiedTimestamp: timeOrNull(modifiedAt),
    version,
  };
}
