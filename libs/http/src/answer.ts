import type { FastifyReply } from 'fastify';

/** A reply as data, so that it can be stored and repeated. */
export interface Answer {
  status: number;
  /** As `location`. */
  headers?: Record<string, string>;
  /** JSON; absent for an empty body. Nothing secret where the answer is stored. */
  body?: unknown;
}

/** Sets status and headers of the reply and gives the body, as `return sendAnswer(reply, answer)` in a controller. */
export function sendAnswer(reply: FastifyReply, answer: Answer): unknown {
  reply.code(answer.status);
  for (const [name, value] of Object.entries(answer.headers ?? {})) reply.header(name, value);
  return answer.body;
}
