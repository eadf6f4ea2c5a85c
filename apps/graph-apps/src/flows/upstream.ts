import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { upstreamError } from '../problems.js';

/** Where a Service of a graph is reached from here. */
export type FlowAddress = (host: string) => { host: string; port: number };

/** All of them listen on 8000 (`graph-apps.md` 1.3). */
export const inCluster: FlowAddress = (host) => ({ host, port: 8000 });

/** Injection token of the {@link FlowAddress}. */
export const FLOW_ADDRESS = Symbol('flow address');

/** Milliseconds to connect, and of silence after that (`graph-apps.md` 6.2, 16). */
const connectMs = 5_000;
const idleMs = 30_000;

/** What says how a body is to be read, and whether it is the newest. */
const copied = [
  'accept-ranges',
  'content-disposition',
  'content-length',
  'content-range',
  // Files of flows may be pages: without it their scripts would run in the origin of the door.
  'content-security-policy',
  'content-type',
  'etag',
  'last-modified',
  'x-glacis-stale',
];

export interface UpstreamAnswer {
  status: number;
  headers: Record<string, string>;
  body: NodeJS.ReadableStream;
}

export interface UpstreamCall {
  host: string;
  port: number;
  /** With its query. */
  path: string;
  /** Of these only those that choose a part of the body are sent on. */
  headers: IncomingHttpHeaders;
  /** Bytes of an answer at most; it is cut off after them. */
  limit: number;
  /** Ends the call, as when the caller is gone. */
  signal: AbortSignal;
}

/** GET of a service in the namespaces of a graph. @throws {Problem} upstream-error */
export async function askUpstream(call: UpstreamCall): Promise<UpstreamAnswer> {
  const incoming = await begin(call).catch((error: unknown) => {
    throw upstreamError(`${call.host} does not answer`, { cause: error });
  });
  const headers = copied.flatMap((name) => {
    const value = incoming.headers[name];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  const body = incoming.pipe(bounded(call.limit));
  incoming.on('error', (error) => body.destroy(error));
  body.on('close', () => incoming.destroy());
  return { status: incoming.statusCode ?? 502, headers: Object.fromEntries(headers), body };
}

function begin({ host, port, path, headers, signal }: UpstreamCall): Promise<IncomingMessage> {
  const { range, 'if-range': ifRange } = headers;
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host,
      port,
      path,
      signal,
      agent: false,
      headers: {
        ...(range && { range }),
        ...(typeof ifRange === 'string' && { 'if-range': ifRange }),
      },
    });
    const giveUp = (): void => void outgoing.destroy(new Error('no answer in time'));
    const connecting = setTimeout(giveUp, connectMs);
    outgoing.on('socket', (socket) => socket.once('connect', () => clearTimeout(connecting)));
    outgoing.setTimeout(idleMs, giveUp);
    outgoing.once('close', () => clearTimeout(connecting));
    outgoing.once('response', resolve).once('error', reject).end();
  });
}

/** Passes that many bytes on and then fails: that is 502 while nothing was passed on, else it cuts the answer off. */
function bounded(limit: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limit) done(upstreamError(`an answer of over ${limit} bytes`));
      else done(null, chunk);
    },
  });
}
