import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { certsOnly, fromPem, readCsr, type Csr } from '@glacis/pki';
import type { TestCa } from './test-ca.js';

/** A request for a certificate, as the server saw it. */
export interface Asked {
  path: string;
  authorization: string | undefined;
  /** Serial of the client certificate; empty without one. */
  client: string;
  csr: Csr;
}

/** EST as a manager sees it, with a CA of its own. */
export class FakeEst {
  readonly asked: Asked[] = [];
  /** What the next requests for a certificate are answered with, in place of one. */
  readonly refusals: { status: number; code: string }[] = [];

  private constructor(
    /** `host:port`. */
    readonly address: string,
    private readonly server: Server,
    private readonly ca: TestCa,
  ) {}

  /** @param told the CA whose certificates it gives out; by default its own */
  static async start(ca: TestCa, told: TestCa = ca): Promise<FakeEst> {
    const pair = await ca.issue('est');
    const server = createServer({
      ...pair,
      ca: ca.rootPem,
      requestCert: true,
      rejectUnauthorized: false,
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const fake = new FakeEst(`localhost:${port}`, server, told);
    server.on('request', (request, response) => void fake.serve(request, response));
    return fake;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    if (path.endsWith('/cacerts')) {
      const pems = [this.ca.rootPem, this.ca.intermediatePem];
      response.end(base64(pems.map(derOf)));
      return;
    }
    const body = await textOf(request);
    const isJson = path === '/certs/renew';
    const csr = readCsr(isJson ? (JSON.parse(body) as { csr: string }).csr : body);
    const peer = (request.socket as TLSSocket).getPeerX509Certificate();
    const { authorization } = request.headers;
    this.asked.push({ path, authorization, client: peer?.serialNumber ?? '', csr });
    const refusal = this.refusals.shift();
    if (refusal) {
      response.writeHead(refusal.status).end(JSON.stringify({ code: refusal.code, detail: 'no' }));
      return;
    }
    const leaf = this.ca.sign(csr.spki, 'host');
    if (isJson)
      response.writeHead(201).end(JSON.stringify({ certificate: leaf + this.ca.intermediatePem }));
    else response.end(base64([derOf(leaf)]));
  }
}

const base64 = (certificates: Buffer[]): string => certsOnly(certificates).toString('base64');

function derOf(pem: string): Buffer {
  return fromPem(pem)[0]?.der ?? Buffer.alloc(0);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
