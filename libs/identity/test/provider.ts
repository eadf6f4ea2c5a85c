import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from 'jose';

interface Key {
  privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
  jwk: JWK;
  alg: string;
}

/** A small OpenID Connect provider on a socket of its own: discovery, key set, and tokens as a test wants them. */
export class Provider {
  readonly seen: string[] = [];
  /** Answers to paths beside its own, or in their place. */
  readonly answers = new Map<
    string,
    (request: IncomingMessage, response: ServerResponse) => void
  >();
  private readonly keys = new Map<string, Key>();

  private constructor(
    private readonly server: Server,
    readonly issuer: string,
  ) {
    server.on('request', (request, response) => this.answer(request, response));
  }

  /** @param path of the issuer, as `/realms/one` */
  static async start(path = ''): Promise<Provider> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new Provider(server, `http://127.0.0.1:${port}${path}`);
  }

  async addKey(kid: string, alg = 'RS256'): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    this.keys.set(kid, { privateKey, alg, jwk: { ...(await exportJWK(publicKey)), kid, alg } });
  }

  dropKey(kid: string): void {
    this.keys.delete(kid);
  }

  /** A token that is good for an hour, with these claims beside or in place of the usual ones. */
  async token(kid: string, claims: JWTPayload = {}, header: object = {}): Promise<string> {
    const key = this.keys.get(kid);
    if (key === undefined) throw new Error(`no key ${kid}`);
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: this.issuer, aud: 'glacis', sub: 'ada', domain: 'acme', exp: now + 3600 };
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg: key.alg, kid, ...header })
      .sign(key.privateKey);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    this.seen.push(path);
    const own = this.answers.get(path);
    if (own) return own(request, response);
    const body = this.documents().get(path);
    if (body === undefined) return void response.writeHead(404).end();
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  }

  private documents(): Map<string, unknown> {
    const { pathname } = new URL(this.issuer);
    const path = pathname.replace(/\/$/, '');
    const jwks_uri = `${this.issuer}/jwks`;
    return new Map<string, unknown>([
      [`${path}/.well-known/openid-configuration`, { issuer: this.issuer, jwks_uri }],
      [`${path}/jwks`, { keys: [...this.keys.values()].map(({ jwk }) => jwk) }],
    ]);
  }
}
