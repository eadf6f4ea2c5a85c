import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { pathOf } from './path.js';
import { problems } from './problems.js';

/** What tells a repeated request from another one. */
export interface IdempotentRequest {
  /** `Idempotency-Key`: 1 to 255 printable ASCII characters; `undefined`: the request is not to be repeated. */
  key: string | undefined;
  tenant: string;
  subject: string;
  /** The handler and its path parameters: paths that lead to the same handler are one operation. */
  operation: string;
  /** Query and body. */
  body: string;
}

const keyForm = /^[\x21-\x7e]{1,255}$/;

function keyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined || (typeof key === 'string' && keyForm.test(key))) return key;
  throw problems.malformed('Idempotency-Key: expected 1 to 255 printable characters', {
    members: { field: 'Idempotency-Key' },
  });
}

function read(request: FastifyRequest, handler: string): IdempotentRequest {
  const { context, url, body, params } = request;
  const path = pathOf(url);
  const text = Buffer.isBuffer(body) ? body.toString('base64') : JSON.stringify(body ?? null);
  return {
    key: keyOf(request),
    tenant: context?.tenant ?? '',
    subject: context?.principal?.subject ?? '',
    operation: `${handler} ${JSON.stringify(params ?? {})}`,
    body: `${url.slice(path.length)}\n${text}`,
  };
}

/** `@IdempotencyParam() request: IdempotentRequest`, for {@link Idempotency.run}. */
export const IdempotencyParam: () => ParameterDecorator = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    read(
      context.switchToHttp().getRequest(),
      `${context.getClass().name}.${context.getHandler().name}`,
    ),
);
