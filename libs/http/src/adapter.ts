import { StreamableFile } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest, RawServerDefault } from 'fastify';
import { asIs, type ProblemReplies } from './problem-reply.js';
import { unmatchedProblem } from './unmatched.js';

type AdapterOptions = ConstructorParameters<typeof FastifyAdapter<RawServerDefault>>[0];

/**
 * The Fastify adapter of Nest with replies in our form: compact JSON and one line feed, `application/json` without a
 * charset also where the body is empty, and errors as problems.
 */
export class HttpAdapter extends FastifyAdapter {
  constructor(
    options: AdapterOptions,
    private readonly replies: ProblemReplies,
  ) {
    super(options);
  }

  override reply(response: unknown, body: unknown, statusCode?: number): never {
    const reply = response as FastifyReply;
    if (statusCode !== undefined) reply.code(statusCode);
    return this.write(reply, body) as never;
  }

  override setErrorHandler(): never {
    const handler = (error: unknown, request: FastifyRequest, reply: FastifyReply): void =>
      this.replies.send(error, request, reply);
    return this.instance.setErrorHandler(handler as never) as never;
  }

  override setNotFoundHandler(): never {
    const handler = (request: FastifyRequest, reply: FastifyReply): void =>
      this.replies.send(unmatchedProblem(request), request, reply);
    return this.instance.setNotFoundHandler(handler as never) as never;
  }

  private write(reply: FastifyReply, body: unknown): unknown {
    if (typeof body === 'string') return reply.serializer(asIs).send(body);
    if (isBytes(body)) return super.reply(reply, body);
    if (reply.getHeader('content-type') === undefined) {
      reply.header('content-type', 'application/json');
    }
    if (body === undefined || body === null) return reply.send();
    return reply.serializer(asIs).send(`${JSON.stringify(body)}\n`);
  }
}

function isBytes(body: unknown): boolean {
  if (body instanceof StreamableFile || ArrayBuffer.isView(body)) return true;
  return typeof (body as { pipe?: unknown } | null | undefined)?.pipe === 'function';
}
