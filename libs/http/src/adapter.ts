import { StreamableFile } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { asIs } from './problem-reply.js';

/** Where requests end that no handler answers. */
export interface ErrorEnds {
  failed(error: unknown, request: FastifyRequest, reply: FastifyReply): void;
  unmatched(request: FastifyRequest, reply: FastifyReply): void;
}

/**
 * The Fastify adapter of Nest with replies in our form: compact JSON and one line feed, `application/json` without a
 * charset also where the body is empty, and errors that go to one place.
 */
export class HttpAdapter extends FastifyAdapter {
  private ends: ErrorEnds;

  useEnds(ends: ErrorEnds): void {
    this.ends = ends;
  }

  override reply(response: unknown, body: unknown, statusCode?: number): never {
    return this.send(response as FastifyReply, body, statusCode) as never;
  }

  private send(reply: FastifyReply, body: unknown, statusCode?: number): FastifyReply {
    if (statusCode !== undefined) reply.code(statusCode);
    if (body === undefined || body === null) return this.sendEmpty(reply);
    if (typeof body === 'string') return reply.serializer(asIs).send(body);
    if (isBytes(body)) return super.reply(reply as never, body) as unknown as FastifyReply;
    if (reply.getHeader('content-type') === undefined) {
      reply.header('content-type', 'application/json');
    }
    return reply.serializer(asIs).send(`${JSON.stringify(body)}\n`);
  }

  override setErrorHandler(): never {
    return this.instance.setErrorHandler(
      (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
        this.ends.failed(error, request, reply),
    ) as never;
  }

  override setNotFoundHandler(): never {
    return this.instance.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) =>
      this.ends.unmatched(request, reply),
    ) as never;
  }

  private sendEmpty(reply: FastifyReply): FastifyReply {
    if (reply.getHeader('content-type') === undefined) {
      reply.header('content-type', 'application/json');
    }
    return reply.send();
  }
}

function isBytes(body: unknown): boolean {
  if (body instanceof StreamableFile || ArrayBuffer.isView(body)) return true;
  return typeof (body as { pipe?: unknown }).pipe === 'function';
}
