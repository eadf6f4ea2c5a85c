import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { HttpAdapter } from './adapter.js';
import type { Admission } from './admission.js';
import { pathOf, type ProblemReplies } from './problem-reply.js';
import { problems } from './problems.js';
import type { RequestTelemetry } from './telemetry.js';

const verbs: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

interface Parts {
  admission: Admission;
  telemetry: RequestTelemetry;
  replies: ProblemReplies;
}

/** Requests that match no route: 405 with `Allow` where another verb does, else 404; their bodies stay unread. */
export function answerUnmatched(
  instance: FastifyInstance,
  adapter: HttpAdapter,
  { admission, telemetry, replies }: Parts,
): void {
  const answer = (request: FastifyRequest, reply: FastifyReply): void =>
    replies.send(unmatchedProblem(instance, request), request, reply);
  adapter.useEnds({
    failed: (error, request, reply) => replies.send(error, request, reply),
    unmatched: answer,
  });
  instance.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    admission.open(request, reply, 'unmatched');
    answer(request, reply);
  });
  const count = telemetry.hook('any', 'unmatched');
  instance.addHook('onResponse', (request, reply, done) => {
    if (request.is404) count(request, reply, done);
    else done();
  });
}

function unmatchedProblem(instance: FastifyInstance, request: FastifyRequest) {
  const url = pathOf(request.raw.url ?? '/');
  const allowed = verbs.filter((method) => instance.findRoute({ method, url }) !== null);
  if (allowed.length === 0) return problems.notFound('no such path');
  return problems.methodNotAllowed(`this path takes ${allowed.join(', ')}`, {
    headers: { allow: allowed.join(', ') },
  });
}
