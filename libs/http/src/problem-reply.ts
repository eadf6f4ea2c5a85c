import { HttpException } from '@nestjs/common';
import type { Logger } from '@glacis/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorFormOf, type ErrorReply } from './error-forms.js';
import { pathOf } from './path.js';
import { Problem } from './problem.js';
import { problems } from './problems.js';
import { isUnavailable, isUnstorable, unavailableDetail } from './failures.js';

const byStatus: Record<number, (detail?: string) => Problem> = {
  401: problems.unauthenticated,
  403: problems.forbidden,
  404: problems.notFound,
  405: problems.methodNotAllowed,
  409: problems.conflict,
  412: problems.preconditionFailed,
  413: problems.tooLarge,
  415: problems.mediaType,
  503: problems.unavailable,
};

/** The problem that tells the caller of an error. What is not meant for callers becomes a 500 without its text. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isUnavailable(error)) {
    return problems.unavailable(unavailableDetail(error), { cause: error });
  }
  if (isUnstorable(error)) return problems.malformed('text with a NUL character');
  const status = statusOf(error);
  if (status === undefined || status >= 500) return problems.internal(undefined, { cause: error });
  const known = byStatus[status];
  return known ? known() : problems.malformed('the request does not hold');
}

/** The status that Fastify or Nest gave an error of the request itself. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 ? statusCode : undefined;
}

/** Sends every error of the application, and logs those that are ours. */
export class ProblemReplies {
  constructor(private readonly logger: Logger) {}

  send(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const problem = toProblem(error);
    const requestId = request.context?.requestId ?? '';
    if (problem.status === 500) {
      this.logger.error({ err: problem.cause, request_id: requestId }, 'request failed');
    } else if (problem.status > 500) {
      this.logger.warn({ err: problem.cause, request_id: requestId }, 'dependency unavailable');
    }
    if (reply.sent) return;
    // RFC 9110, 11.6.1: a 401 names how to authenticate.
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
    const { contentType, status, text, headers } = formed(problem, request, requestId);
    const all = { ...headers, ...problem.more.headers, 'content-type': contentType };
    for (const [name, value] of Object.entries(all)) reply.header(name, value);
    reply
      .code(status ?? problem.status)
      .serializer(asIs)
      .send(text);
  }
}

function formed(problem: Problem, request: FastifyRequest, requestId: string): ErrorReply {
  const url = request.raw.url ?? '';
  const told = problem.toJSON(pathOf(url), requestId);
  const form = errorFormOf(url);
  if (form) return form(problem, told);
  return { contentType: 'application/problem+json', text: `${JSON.stringify(told)}\n` };
}

/** A serializer that leaves text alone; with one set, Fastify adds no charset to the content type. */
export function asIs(payload: unknown): string {
  return payload as string;
}
