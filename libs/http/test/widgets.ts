import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Module,
  Param,
  Post,
  Put,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  CallerParam,
  checkIfMatch,
  defineProblem,
  etagOf,
  freeText,
  Operation,
  pageQuery,
  problems,
  RequestParam,
  trimmedText,
  zBody,
  zQuery,
  type Caller,
  type Visitor,
} from '../src/index.js';

export const widgetExists = defineProblem({
  slug: 'widget-exists',
  status: 409,
  title: 'Conflict',
  message: 'entity already exists',
  about: 'Another widget has this name. Choose another name.',
});

const newWidget = z.object({ name: trimmedText(8), note: freeText(20).optional() });
type NewWidget = z.infer<typeof newWidget>;

/** A controller with one route of every kind that the wire tests look at. */
@Controller()
export class WidgetController {
  @Post('widgets')
  @Operation({
    access: 'member',
    summary: 'Make a widget',
    body: newWidget,
    status: 201,
    errors: ['widget-exists'],
  })
  create(
    @Body(zBody(newWidget)) body: NewWidget,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): void {
    if (body.name === 'taken') {
      throw widgetExists("a widget named 'taken' exists", { error: 'name already taken' });
    }
    reply.header('location', '/widgets/7');
  }

  @Get('widgets')
  @Operation({ access: 'member', summary: 'List widgets', query: pageQuery })
  list(@Query(zQuery(pageQuery)) page: z.infer<typeof pageQuery>): object {
    return { total: 0, ...page };
  }

  @Get('widgets/static')
  @Operation({ access: 'member', summary: 'A static segment' })
  fixed(): object {
    return { fixed: true };
  }

  @Get('widgets/:id')
  @Operation({
    access: 'member',
    summary: 'One widget',
    reply: z.object({ id: z.string() }),
    errors: ['not-found'],
  })
  get(
    @Param('id') id: string,
    @CallerParam() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): object {
    if (id === 'broken') throw new Error('secret of the database');
    if (id === 'nul')
      throw new Error('x', { cause: Object.assign(new Error(), { code: '22021' }) });
    const gone = /^sqlstate-(.....)$/.exec(id);
    if (gone) throw Object.assign(new Error('x'), { code: gone[1] });
    reply.header('etag', etagOf(3));
    return { id, tenant: caller.tenant, subject: caller.principal.subject };
  }

  @Put('widgets/:id')
  @Operation({ access: 'member', summary: 'Replace a widget', body: newWidget })
  put(
    @Param('id') id: string,
    @Body(zBody(newWidget)) _body: NewWidget,
    @Headers('if-match') ifMatch?: string,
  ): void {
    if (id === 'unknown') throw problems.notFound(`no widget ${id}`);
    checkIfMatch(ifMatch, etagOf(3));
  }

  @Delete('widgets/:id')
  @HttpCode(204)
  @Operation({ access: 'admin', summary: 'Delete a widget', status: 204 })
  remove(): void {}

  @Get('widgets/:id/stop')
  @Operation({ access: 'member', summary: 'An effect by GET', head: false })
  stop(): void {}

  @Post('widgets/:id/stop')
  @Operation({ access: 'platform', summary: 'An effect by POST' })
  stopByPost(): void {}

  @Get('open/*')
  @Operation({ access: 'public', summary: 'Open to all' })
  open(@RequestParam() visitor: Visitor, @Req() request: FastifyRequest): object {
    const { principal, requestId, traceparent } = visitor;
    return { principal, requestId, traceparent, rest: (request.params as { '*': string })['*'] };
  }

  @Post('raw')
  @Operation({
    access: 'public',
    summary: 'Bytes in, bytes out',
    rawContentTypes: ['application/ocsp-request'],
    bodyLimit: 100_000,
    reply: { type: 'application/ocsp-response', description: 'The bytes again.' },
  })
  @HttpCode(200)
  raw(@Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply): Buffer {
    reply.header('content-type', 'application/ocsp-response');
    return Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  }
}

@Module({ controllers: [WidgetController] })
export class WidgetModule {}
