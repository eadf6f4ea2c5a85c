import { request, type OutgoingHttpHeaders } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { DerError, readCertsOnly } from '@glacis/pki';
import { connectEst, type EstTrust } from './est-connection.js';
import { RefusedError, TryAgainError } from './est-error.js';

const requestMs = 30_000;
const maxReplyBytes = 262_144;

interface Ask {
  method: 'GET' | 'POST';
  path: string;
  headers?: OutgoingHttpHeaders;
  body?: string;
}

interface Reply {
  status: number;
  body: string;
}

/** One server of EST (RFC 7030) as a client sees it. Each request has a connection of its own. */
export class EstClient {
  /** @param trust undefined: only `caCertificates` may be asked, and its answer not be believed */
  constructor(
    private readonly address: string,
    private readonly trust?: EstTrust,
  ) {}

  /** Roots, intermediates and cross certificates, DER each. */
  async caCertificates(): Promise<Buffer[]> {
    const { body } = await this.ask({ method: 'GET', path: '/.well-known/est/cacerts' });
    return certificatesIn(body);
  }

  /** The first certificate of a backend, DER. @param csr PKCS#10 in DER */
  async enrol(backend: string, token: string, csr: Buffer): Promise<Buffer> {
    const basic = Buffer.from(`${backend}:${token}`).toString('base64');
    const { body } = await this.ask({
      method: 'POST',
      path: '/.well-known/est/simpleenroll',
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/pkcs10' },
      body: csr.toString('base64'),
    });
    const [leaf] = certificatesIn(body);
    if (leaf === undefined) throw new TryAgainError('the answer holds no certificate');
    return leaf;
  }

  /** The successor of the certificate that `trust` comes with, and its chain, in PEM. @param csr PKCS#10 in DER */
  async renew(csr: Buffer): Promise<string> {
    const { body } = await this.ask({
      method: 'POST',
      path: '/certs/renew',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ csr: csr.toString('base64') }),
    });
    const { certificate } = parsed(body);
    if (typeof certificate !== 'string') throw new TryAgainError('the answer holds no certificate');
    return certificate;
  }

  private async ask(ask: Ask): Promise<Reply> {
    const socket = await connectEst(this.address, this.trust);
    try {
      const reply = await send(ask, this.address, () => socket);
      if (reply.status >= 200 && reply.status < 300) return reply;
      throw refusal(reply);
    } finally {
      socket.destroy();
    }
  }
}

function send(
  { method, path, headers, body }: Ask,
  host: string,
  createConnection: () => TLSSocket,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(new TryAgainError('the server broke off', { cause }));
    const outgoing = request(
      {
        method,
        path,
        createConnection,
        headers: { host, ...headers },
        signal: AbortSignal.timeout(requestMs),
      },
      (incoming) => {
        const parts: Buffer[] = [];
        let bytes = 0;
        incoming.on('error', failed);
        incoming.on('data', (part: Buffer) => {
          parts.push(part);
          bytes += part.length;
          if (bytes > maxReplyBytes) incoming.destroy(new Error('the answer is too large'));
        });
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(parts).toString() }),
        );
      },
    );
    outgoing.on('error', failed);
    outgoing.end(body);
  });
}

/** What is worth another try: too many tries, and whatever is the server's own trouble. */
function refusal({ status, body }: Reply): Error {
  const { code, detail } = parsed(body);
  const problem = typeof code === 'string' ? code : `status ${status}`;
  const text = typeof detail === 'string' ? detail : '';
  const later = status === 429 || status === 408 || status >= 500;
  return later ? new TryAgainError(`${problem}: ${text}`) : new RefusedError(problem, text, status);
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function certificatesIn(body: string): Buffer[] {
  try {
    return readCertsOnly(Buffer.from(body, 'base64'));
  } catch (cause) {
    if (cause instanceof DerError) throw new TryAgainError('the answer is no PKCS#7', { cause });
    throw cause;
  }
}
