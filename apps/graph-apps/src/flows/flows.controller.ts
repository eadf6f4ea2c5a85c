import { CallerParam, Operation, zQuery, type BinaryReply, type Caller } from '@glacis/http';
import { Controller, Get, Inject, Param, Query, Req, Res, UseInterceptors } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { invalidRequest } from '../problems.js';
import { StateWords } from '../state-words.js';
import { FlowsService, type Passage } from './flows.service.js';
import type { UpstreamAnswer } from './upstream.js';

const path = z.string().max(4096);
const pathQuery = z.object({ path });
const refQuery = pathQuery.extend({
  branch: z.string().max(255).optional(),
  tag: z.string().max(255).optional(),
});
const failures = ['graph-not-found', 'flow-not-found', 'invalid-request', 'upstream-error'];
const asUpstream: BinaryReply = {
  type: '*/*',
  description: 'What the service of the flow answers, with its status.',
};
const ofVolume = new Set(['directory', 'file']);
const ofRepository = new Set(['repo-directory', 'repo-file']);

@Controller('app/:id')
@UseInterceptors(StateWords)
export class FlowsController {
  constructor(@Inject(FlowsService) private readonly flows: FlowsService) {}

  @Get(['flows_service/:flow/directory', 'flows_service/:flow/file'])
  @Operation({
    access: 'member',
    summary: 'Look into a volume flow',
    query: pathQuery,
    reply: asUpstream,
    head: false,
    errors: failures,
  })
  async volume(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('flow') flow: string,
    @Query(zQuery(pathQuery)) query: z.output<typeof pathQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const wanted = { flow, type: 'volume', what: lastSegment(request, ofVolume), query } as const;
    return passedOn(reply, await this.flows.flow(caller, id, wanted, passage(request, reply)));
  }

  @Get(['flows_service/:flow/repo-directory', 'flows_service/:flow/repo-file'])
  @Operation({
    access: 'member',
    summary: 'Look into a repository flow',
    query: refQuery,
    reply: asUpstream,
    head: false,
    errors: failures,
  })
  async repository(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('flow') flow: string,
    @Query(zQuery(refQuery)) query: z.output<typeof refQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const what = lastSegment(request, ofRepository);
    const wanted = { flow, type: 'repository', what, query } as const;
    return passedOn(reply, await this.flows.flow(caller, id, wanted, passage(request, reply)));
  }

  @Get('flows_service/:flow/repo-metadata')
  @Operation({
    access: 'member',
    summary: 'List branches and tags of a repository flow',
    reply: asUpstream,
    head: false,
    errors: failures,
  })
  async metadata(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
    @Param('flow') flow: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const wanted = { flow, type: 'repository', what: 'repo-metadata', query: {} } as const;
    return passedOn(reply, await this.flows.flow(caller, id, wanted, passage(request, reply)));
  }

  @Get('edge/:side/:component/:edge')
  @Operation({
    access: 'member',
    summary: 'Tell whether data flows over an edge of a volume',
    reply: asUpstream,
    head: false,
    errors: ['graph-not-found', 'component-not-found', 'edge-not-found', 'upstream-error'],
  })
  async edge(
    @CallerParam() caller: Caller,
    @Param() { id, side, component, edge }: Record<'id' | 'side' | 'component' | 'edge', string>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const part = partOf(side);
    const wanted = { part, component, edge };
    return passedOn(reply, await this.flows.edge(caller, id, wanted, passage(request, reply)));
  }
}

function partOf(side: string): 'inputs' | 'outputs' {
  if (side === 'input') return 'inputs';
  if (side === 'output') return 'outputs';
  throw invalidRequest('expected input or output', { members: { field: 'side' } });
}

function lastSegment({ routeOptions }: FastifyRequest, known: ReadonlySet<string>): string {
  const last = (routeOptions.url ?? '').split('/').at(-1) ?? '';
  if (!known.has(last)) throw new Error(`no route for ${last}`);
  return last;
}

function passage({ headers }: FastifyRequest, reply: FastifyReply): Passage {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return { headers, signal: gone.signal };
}

function passedOn(reply: FastifyReply, { status, headers, body }: UpstreamAnswer): unknown {
  void reply.code(status).headers(headers);
  return body;
}
