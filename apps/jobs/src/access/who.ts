import type { Visitor } from '@glacis/http';
import {
  createParamDecorator,
  Inject,
  Injectable,
  type ExecutionContext,
  type PipeTransform,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Callers, type JobsCaller } from './callers.js';

interface Asking {
  visitor: Visitor;
  authorization: string | undefined;
}

const asking = createParamDecorator((_: unknown, context: ExecutionContext): Asking => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  return { visitor: request.context as Visitor, authorization: request.headers.authorization };
});

@Injectable()
class Identified implements PipeTransform<Asking, Promise<JobsCaller>> {
  constructor(@Inject(Callers) private readonly callers: Callers) {}

  transform({ visitor, authorization }: Asking): Promise<JobsCaller> {
    return this.callers.identify(visitor, authorization);
  }
}

/** `@Who() caller: JobsCaller`: by whichever token there is, or nobody. */
export const Who = (): ParameterDecorator => asking(Identified);
