import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { newId } from '@glacis/runtime';
import type { Problem } from './problem.js';
import { problems } from './problems.js';

function problemOf(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return problems.requestTimeout('the request took too long');
  if (code === 'HPE_HEADER_OVERFLOW') return problems.headersTooLarge();
  return problems.malformed('the request is not HTTP');
}

/** Answers bytes that never became a request, and closes the connection. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(error.code);
  const requestId = newId();
  const body = `${JSON.stringify(problem.toJSON('', requestId))}\n`;
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${requestId}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
