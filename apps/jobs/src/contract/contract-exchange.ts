import { Idempotency, type Visitor } from '@glacis/http';
import { createParamDecorator, Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Callers, actorOf, type JobsCaller } from '../access/callers.js';
import { ProviderError } from '../storage/provider-error.js';
import { ContractError, invalidFields } from './contract-error.js';
import { bodyOf, type ContractReply } from './contract-reply.js';
import { readObject } from './json-body.js';

const contentType = 'application/json; charset=utf-8';
const keyPattern = /^[\x21-\x7e]{1,255}$/;

/** A request of a contract route with the place of its answer. */
export interface Exchange {
  visitor: Visitor;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** `@Exchanged() exchange: Exchange`; what the handler returns is sent. */
export const Exchanged: () => ParameterDecorator = createParamDecorator(
  (_: unknown, context: ExecutionContext): Exchange => {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    return { visitor: request.context as Visitor, request, reply: http.getResponse() };
  },
);

/** What a route does with a request whose caller and body are known. */
export interface ContractRoute {
  /** Its name, for `Idempotency-Key`; absent: it takes none. */
  once?: string;
  /** Check 4. @throws {ContractError} */
  allow: (caller: JobsCaller) => void;
  run: (caller: JobsCaller, body: Record<string, unknown>) => Promise<ContractReply>;
  /** Members of the answer that are shown once: a repeated request does not get them again. */
  secret?: string;
}

/** Checks 4 to 7 of `jobs.md` 2.1, and answers to the byte. */
@Injectable()
export class ContractExchange {
  constructor(
    @Inject(Callers) private readonly callers: Callers,
    @Inject(Idempotency) private readonly idempotency: Idempotency,
  ) {}

  async post({ visitor, request, reply }: Exchange, route: ContractRoute): Promise<string> {
    return this.answer({ visitor, request, reply }, route, (caller) => {
      const body = readObject(request.body as Buffer | undefined, request.headers['content-type']);
      const key = route.once === undefined ? undefined : keyOf(request);
      if (key === undefined) return route.run(caller, body);
      return this.repeatable({ visitor, request, reply }, { ...route, key, caller, body });
    });
  }

  async get(exchange: Exchange, route: Omit<ContractRoute, 'once'>): Promise<string> {
    const query = exchange.request.query as Record<string, unknown>;
    return this.answer(exchange, route, (caller) => route.run(caller, query));
  }

  private async answer(
    { visitor, request, reply }: Exchange,
    { allow }: Pick<ContractRoute, 'allow'>,
    run: (caller: JobsCaller) => Promise<ContractReply>,
  ): Promise<string> {
    reply.header('content-type', contentType);
    try {
      const caller = await this.callers.identify(visitor, request.headers.authorization);
      allow(caller);
      return JSON.stringify(bodyOf(await run(caller), request.headers.prefer as string));
    } catch (error) {
      const { status, headers, body } = refusalOf(error);
      reply.code(status).headers(headers);
      return JSON.stringify(body);
    }
  }

  private async repeatable(
    { request, reply }: Exchange,
    route: ContractRoute & { key: string; caller: JobsCaller; body: Record<string, unknown> },
  ): Promise<ContractReply> {
    const { caller, key, body, secret = '', once = '' } = route;
    const { who } = caller;
    const scope = {
      key,
      tenant: who.kind === 'nobody' ? '' : who.tenant,
      subject: actorOf(caller),
      operation: once,
      body: (request.body as Buffer).toString('base64'),
    };
    let fresh: ContractReply | undefined;
    const answer = await this.idempotency.runApart(scope, async () => {
      fresh = await route.run(caller, body);
      const { [secret]: _, ...extension } = fresh.extension;
      return { status: 200, body: { contract: fresh.contract, extension } };
    });
    if (fresh === undefined) reply.header('idempotency-replayed', 'true');
    return fresh ?? (answer.body as ContractReply);
  }
}

/** Undefined: the request is not to be repeated. @throws {ContractError} */
function keyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined || (typeof key === 'string' && keyPattern.test(key))) return key;
  const field = 'Idempotency-Key';
  const message = 'expected 1 to 255 printable characters';
  throw invalidFields([{ member: field, field, code: 'bad_key', message }]);
}

/** What is no answer of the contract goes on as everywhere. */
function refusalOf(error: unknown): ContractError {
  if (error instanceof ContractError) return error;
  if (error instanceof ProviderError && error.transient)
    return new ContractError(503, { error: 'Service not ready' }, { 'retry-after': '1' });
  throw error;
}
