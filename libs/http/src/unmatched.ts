import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify';
import type { Admission } from './admission.js';
import type { Problem } from './problem.js';
import { pathOf } from './path.js';
import type { ProblemReplies } from './problem-reply.js';
import { problems } from './problems.js';
import type { RequestTelemetry } from './telemetry.js';

const verbs: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

interface Parts {
  admission: Admission;
  telemetry: RequestTelemetry;
  replies: ProblemReplies;
}

/** Answers requests that match no route before anything reads their bodies. */
export function answerUnmatched(
  instance: FastifyInstance,
  { admission, telemetry, replies }: Parts,
): void {
  instance.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    admission.open(request, reply, 'unmatched');
    // What is not there now may be there after an upgrade.
    reply.header('cache-control', 'no-store');
    replies.send(unmatchedProblem(request), request, reply);
  });
  const count = telemetry.hook('any', 'unmatched');
  instance.addHook('onResponse', (request, reply, done) => {
    if (request.is404) count(request, reply, done);
    else done();
  });
}

/** 405 with `Allow` where another verb has a route, else 404. */
export function unmatchedProblem(request: FastifyRequest): Problem {
  const url = pathOf(request.raw.url ?? '/');
  const allowed = verbs.filter((method) => hasRoute(request.server, method, url));
  if (allowed.length === 0) return problems.notFound('no such path');
  return problems.methodNotAllowed(`this path takes ${allowed.join(', ')}`, {
    headers: { allow: allowed.join(', ') },
  });
}

/** The router lets a parameter be empty, our routes do not. */
function hasRoute(instance: FastifyInstance, method: HTTPMethods, url: string): boolean {
  const route = instance.findRoute({ method, url }) as { params: Record<string, string> } | null;
  return route !== null && !Object.values(route.params).includes('');
}
