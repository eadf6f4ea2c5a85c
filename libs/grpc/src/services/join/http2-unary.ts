import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { status } from '@grpc/grpc-js';
import { RpcError } from '../../rpc-error.js';

const maxReplyBytes = 1024 * 1024;

/** A TLS 1.3 connection whose other end is not verified. */
export async function connectUnverified(
  { host, port }: { host: string; port: number },
  signal: AbortSignal,
): Promise<TLSSocket> {
  const socket = connectTls({
    host,
    port,
    ALPNProtocols: ['h2'],
    minVersion: 'TLSv1.3',
    rejectUnauthorized: false,
  });
  signal.addEventListener('abort', () => socket.destroy(new Error('no answer in time')));
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve).once('error', reject);
  });
  return socket;
}

/**
 * One unary gRPC call over a connection that is open already, which grpc-js has no way for.
 * @throws {RpcError} the refusal of the other side
 * @throws {Error} when the connection breaks or what comes is no gRPC
 */
export async function unaryOver(socket: TLSSocket, path: string, request: Buffer): Promise<Buffer> {
  const session = connectHttp2('https://join', { createConnection: () => socket });
  try {
    return await exchange(session, path, request);
  } finally {
    session.destroy();
  }
}

function exchange(session: ClientHttp2Session, path: string, request: Buffer): Promise<Buffer> {
  const headers = {
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  return new Promise((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request(headers);
    const chunks: Buffer[] = [];
    let bytes = 0;
    let ending: IncomingHttpHeaders = {};
    const note = (fields: IncomingHttpHeaders): void => void (ending = { ...ending, ...fields });
    stream.on('response', note).on('trailers', note);
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxReplyBytes) stream.destroy(new Error('the reply is too long'));
    });
    stream.on('error', reject);
    stream.on('close', () => {
      try {
        resolve(replyOf(ending, Buffer.concat(chunks)));
      } catch (error) {
        reject(error);
      }
    });
    stream.end(framed(request));
  });
}

/** A message with its prefix: not compressed, its length. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function replyOf(ending: IncomingHttpHeaders, body: Buffer): Buffer {
  const field = (name: string): string => [ending[name] ?? ''].flat().join();
  const code = Number(field('grpc-status') || Number.NaN) as status;
  if (!(code in status)) throw new Error('no gRPC status in the reply');
  if (code !== status.OK) {
    const reason = field('glacis-reason') || 'internal';
    throw new RpcError(code, reason, decodeURIComponent(field('grpc-message')));
  }
  if (body.length < 5 || body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5) {
    throw new Error('the reply is no single message');
  }
  return body.subarray(5);
}
