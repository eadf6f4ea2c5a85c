import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { answerBrokenRequest } from './broken-request.js';
import { operationOf } from './operation.js';

/** As Node puts it on requests that it ends itself. */
const tooLate = Object.assign(new Error('the request took too long'), {
  code: 'ERR_HTTP_REQUEST_TIMEOUT',
});

/**
 * Ends requests whose bodies are not there in time, also where nobody reads them. Node could do it, but only for all
 * routes alike, and a long file over a slow line takes its time (`longBody`): such a one may go on while bytes come.
 */
export function boundBodyTime(instance: FastifyInstance, timeoutMs: number): void {
  instance.addHook('onRequest', (request, _reply, done) => {
    const { raw } = request;
    if (hasBody(raw) && !operationOf(request.routeOptions.config)?.longBody) bound(raw, timeoutMs);
    done();
  });
}

function hasBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length = '0' } = headers;
  return length !== '0' || headers['transfer-encoding'] !== undefined;
}

function bound(raw: IncomingMessage, timeoutMs: number): void {
  const { socket } = raw;
  if (socket.destroyed) return;
  const timer = setTimeout(() => answerBrokenRequest(tooLate, socket), timeoutMs);
  const settled = (): void => {
    clearTimeout(timer);
    socket.off('close', settled);
  };
  raw.once('end', settled);
  // A request that was answered before its body had come is not told that its connection has ended. Pipelined ones share it.
  socket.setMaxListeners(0).once('close', settled);
}
