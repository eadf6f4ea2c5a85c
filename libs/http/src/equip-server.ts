import type { Logger } from '@glacis/observability';
import type { FastifyError, FastifyInstance } from 'fastify';
import { clientAddress } from './client-address.js';
import { readBodies } from './content-type.js';
import { ProblemReplies } from './problem-reply.js';
import { RequestContext } from './request-context.js';
import { unmatchedProblem } from './unmatched.js';

/** TLS ends here, so no proxy speaks for its clients. */
const peerAddress = clientAddress([]);

/**
 * For a server beside the REST API whose routes know nothing of tokens, as EST: request ids, JSON and raw bodies, and
 * errors as problems, all as there. Before the first route.
 */
export function equipServer(instance: FastifyInstance, logger: Logger): void {
  const replies = new ProblemReplies(logger);
  instance.decorateRequest('context', null);
  instance.addHook('onRequest', (request, reply, done) => {
    request.context = new RequestContext(request.raw, peerAddress);
    reply.header('x-request-id', request.context.requestId);
    done();
  });
  instance.setErrorHandler((error: FastifyError, request, reply) => {
    replies.send(error, request, reply);
  });
  instance.setNotFoundHandler((request, reply) => {
    replies.send(unmatchedProblem(request), request, reply);
  });
  readBodies(instance);
}
