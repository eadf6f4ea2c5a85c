import { createServer, type IncomingMessage, type Server } from 'node:http';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { main } from './program.js';

interface Canned {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

// A server that answers by a table: what is tested here is what the commands send and how they show an answer. The
// suite's own tests run the same commands against the real thing.
class CannedServer {
  readonly seen: { method: string; url: string; authorization?: string; body: string }[] = [];
  readonly answers = new Map<string, Canned>();
  private readonly server: Server = createServer((request, reply) => {
    void this.record(request).then(() => {
      const path = (request.url ?? '').split('?')[0];
      const canned = this.answers.get(`${request.method} ${path}`) ?? { status: 404, body: {} };
      reply.writeHead(canned.status, canned.headers);
      reply.end(canned.body === undefined ? undefined : JSON.stringify(canned.body));
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async record(request: IncomingMessage): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method = '', url = '', headers } = request;
    this.seen.push({ method, url, authorization: headers.authorization, body });
  }
}

describe('glacis', () => {
  const server = new CannedServer();
  let address: string;
  let dir: string;

  beforeAll(async () => {
    address = await server.listen();
    dir = mkdtempSync(join(tmpdir(), 'glacis-cli-'));
    writeFileSync(join(dir, 'token'), 'the-token\n');
  });
  afterAll(async () => {
    await server.close();
    rmSync(dir, { recursive: true });
  });
  beforeEach(() => {
    server.seen.length = 0;
    server.answers.clear();
  });

  async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
    let out = '';
    let err = '';
    const code = await main(['--server', address, '--token-file', join(dir, 'token'), ...argv], {
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
    });
    return { code, out, err };
  }

  it('shows a list as a table, as JSON and as YAML', async () => {
    const backends = [{ id: 'b1', name: 'rack 1', address: '', active: true }];
    server.answers.set('GET /backends', { status: 200, body: { total: 1, limit: 10, backends } });
    const text = await run('backend', 'list', '--name', 'rack');
    expect(text).toMatchObject({ code: 0, err: '' });
    expect(text.out.split('\n')[0]).toMatch(/^ID\s+NAME\s+ADDRESS\s+ACTIVE/);
    expect(text.out).toContain('rack 1');
    expect(server.seen[0]).toMatchObject({
      url: '/backends?name=rack',
      authorization: 'Bearer the-token',
    });
    expect(JSON.parse((await run('backend', 'list', '-o', 'json')).out)).toEqual(backends);
    expect(parse((await run('backend', 'list', '-o', 'yaml')).out)).toEqual(backends);
  });

  it('ca: lists, orders a rotation and revokes an intermediate', async () => {
    const issuers = [{ issuer_id: 'i1', kind: 'intermediate', state: 'pending' }];
    const body = { issuers };
    server.answers.set('GET /certs/ca/issuers', { status: 200, body });
    server.answers.set('POST /certs/ca/rotations', { status: 201, body });
    server.answers.set('PATCH /certs/ca/i1/revoke', { status: 200, body });
    expect((await run('ca', 'list')).out).toMatch(/^ISSUER_ID[\s\S]*pending/);
    await run('ca', 'rotate', '--root', '--overlap', '48h');
    expect(JSON.parse(server.seen.at(-1)?.body ?? '')).toEqual({ kind: 'root', overlap: '48h' });
    expect((await run('ca', 'revoke', 'i1')).out).toContain('revoked i1');
    expect(server.seen.map(({ method }) => method)).toEqual(['GET', 'POST', 'PATCH']);
  });

  it('never lets control characters of stored text reach the terminal', async () => {
    const body = { total: 1, limit: 10, backends: [{ id: 'b1', name: '\u001b[31mred\u0007' }] };
    server.answers.set('GET /backends', { status: 200, body });
    expect((await run('backend', 'list')).out).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it('writes the downloaded files, the key readable by its owner alone', async () => {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    server.answers.set('GET /certs/7/download/token', { status: 200, body: { token: 't' } });
    server.answers.set('GET /certs/7/download', {
      status: 200,
      body: { ca: base64('CA'), certificate: base64('CERT'), private_key: base64('KEY') },
    });
    const out = join(dir, 'tls');
    expect(await run('cert', 'download', '7', '--out', out)).toMatchObject({ code: 0 });
    expect(readFileSync(join(out, 'cert.pem'), 'utf8')).toBe('CERT');
    expect(statSync(join(out, 'key.pem')).mode & 0o777).toBe(0o600);
    expect(server.seen[1]).toMatchObject({ url: '/certs/7/download?token=t' });
    expect(server.seen[1]?.authorization).toBeUndefined();
  });

  it('tells a refusal with the detail, the code and the request id, exit 1', async () => {
    server.answers.set('PATCH /certs/7/revoke', {
      status: 404,
      body: {
        title: 'Not found',
        detail: 'no such certificate',
        code: 'not-found',
        request_id: 'r1',
      },
    });
    expect(await run('cert', 'revoke', '7')).toEqual({
      code: 1,
      out: '',
      err: 'glacis: no such certificate (not-found, request r1)\n',
    });
  });

  it('exits 2 on wrong usage, with the reason and nothing sent', async () => {
    expect((await run('backend', 'create')).err).toContain('--name');
    for (const argv of [
      ['backend', 'create'],
      ['nope'],
      ['-o', 'xml', 'status'],
      ['cert', 'issue'],
    ]) {
      expect((await run(...argv)).code).toBe(2);
    }
    expect((await run('events', 'redrive', '--service', 'backends')).code).toBe(2);
    expect((await run('--token-file', join(dir, 'none'), 'backend', 'list')).code).toBe(2);
    expect((await run('--server', 'nonsense', 'backend', 'list')).code).toBe(2);
    expect(server.seen).toEqual([]);
  });

  it('exits 3 when nothing answers', async () => {
    expect((await run('--server', 'http://127.0.0.1:1', 'status')).code).toBe(3);
  });

  it('exits 1 when the server is not ready or an audit trail is broken, and still shows why', async () => {
    server.answers.set('GET /health/ready', {
      status: 503,
      body: { status: 'error', details: { database: { status: 'down', reason: 'no answer' } } },
    });
    expect(await run('status')).toMatchObject({
      code: 1,
      out: expect.stringContaining('no answer'),
    });
    server.answers.set('GET /services', {
      status: 200,
      body: { services: [{ name: 'backends' }] },
    });
    server.answers.set('GET /audit/backends/verification', {
      status: 200,
      body: { intact: false, sealed: 5, unsealed: 0, broken_at: 3 },
    });
    expect(await run('audit', 'verify')).toMatchObject({
      code: 1,
      out: expect.stringContaining('3'),
    });
  });

  it('has help with examples for every command', async () => {
    expect((await run('--help')).out).toContain('Examples:');
    expect((await run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    for (const group of ['token', 'backend', 'cert', 'events', 'audit']) {
      const { code, out } = await run(group, '--help');
      expect(code).toBe(0);
      expect(out).toContain('Commands:');
    }
  });
});
