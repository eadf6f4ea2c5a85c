import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Head } from './exchange.js';
import { originForm, replyHeaders, requestHeaders } from './headers.js';
import { ClientGoneError, type Message } from './replica.js';
import { RequestBody } from './request-body.js';
import type { Upstream } from './upstream.js';

/**
 * Passes an admitted request, its body unread, on to a service, and the answer back; both as streams.
 * @param bodyLimit bytes of the request's body at most
 * @throws {Problem} while nothing of the answer has gone out
 */
export async function forward(
  upstream: Upstream,
  request: FastifyRequest,
  reply: FastifyReply,
  bodyLimit: number,
): Promise<void> {
  const client = reply.raw;
  // It may have gone while its token was looked at; then it closes no second time.
  if (client.destroyed) return void reply.hijack();
  const gone = new AbortController();
  client.once('close', () => {
    if (!client.writableFinished) gone.abort(new ClientGoneError('the client went away'));
  });
  try {
    const message = await messageOf(request, client, { bodyLimit, signal: gone.signal });
    const exchange = await upstream.send(message);
    const head = await exchange.head;
    reply.hijack();
    writeHead(client, head, request);
    exchange.pipeTo(client);
  } catch (error) {
    if (gone.signal.aborted || client.destroyed) return void reply.hijack();
    // Nobody will read the rest of the body, so no further request can follow it.
    if (!request.raw.complete) reply.header('connection', 'close');
    throw error;
  }
}

async function messageOf(
  request: FastifyRequest,
  client: ServerResponse,
  { bodyLimit, signal }: { bodyLimit: number; signal: AbortSignal },
): Promise<Message> {
  const { raw, context } = request;
  const { address = '', requestId = '', traceparent = '' } = context ?? {};
  const hasKey = raw.headers['idempotency-key'] !== undefined;
  const body = RequestBody.of(raw, bodyLimit);
  return {
    method: request.method,
    path: originForm(raw.url ?? '/'),
    headers: requestHeaders(raw.rawHeaders, { address, requestId, traceparent }),
    body: hasKey ? ((await body?.atHand()) ?? null) : body,
    hasKey,
    signal,
    onInformation: (head) => tell(client, head, raw.httpVersionMinor),
  };
}

function writeHead(
  client: ServerResponse,
  { status, headers }: Head,
  request: FastifyRequest,
): void {
  client.statusCode = status;
  client.setHeader('x-request-id', request.context?.requestId ?? '');
  const passed = replyHeaders(headers);
  for (let i = 0; i + 1 < passed.length; i += 2) {
    client.appendHeader(passed[i] as string, passed[i + 1] as string);
  }
  if (!request.raw.complete) client.setHeader('connection', 'close');
  client.flushHeaders();
}

/** 102 and 103 are passed on (RFC 9110 15.2), to whoever can read them. */
function tell(client: ServerResponse, { status, headers }: Head, httpVersionMinor: number): void {
  if (httpVersionMinor < 1 || client.headersSent) return;
  if (status === 102) client.writeProcessing();
  if (status !== 103) return;
  const links = headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === 'link');
  if (links.length > 0) client.writeEarlyHints({ link: links });
}
