import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { RequestContext } from './request-context.js';

function contextOf(_: unknown, context: ExecutionContext): RequestContext | null {
  return context.switchToHttp().getRequest<FastifyRequest>().context;
}

/** `@CallerParam() caller: Caller`, on every route but public ones. */
export const CallerParam: () => ParameterDecorator = createParamDecorator(contextOf);

/** `@RequestParam() visitor: Visitor`, on public routes. */
export const RequestParam: () => ParameterDecorator = createParamDecorator(contextOf);
