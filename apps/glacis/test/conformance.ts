import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { ManagerClient, type ServerMessage } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { openssl, temporaryFolder } from '@glacis/testbed';
import type { RunningSuite, StartSuite } from './running-suite.js';

interface Host {
  backend: string;
  serial: string;
  files: { ca: string; cert: string; key: string };
}

interface LiveStream {
  messages: ServerMessage[];
  ended(): boolean;
}

/** What certificates and streams show from outside, however the suite is started. */
export function conformance(startSuite: StartSuite): void {
  let suite: RunningSuite;
  const clients: ManagerClient[] = [];

  beforeAll(async () => {
    suite = await startSuite({
      GLACIS_CERTS_ALLOW_LOOPBACK: 'true',
      GLACIS_CERTS_RESERVED_NAMES: 'reserved.example.org',
      GLACIS_BACKENDS_PUBLIC_NAMES: 'localhost,127.0.0.1,managers.example.org',
    });
  }, 60_000);
  afterAll(async () => {
    for (const client of clients) client.close();
    await suite.close();
  });

  const member = async (tenant: string): Promise<string> => {
    const body = { subject: `member of ${tenant}`, tenant, roles: ['member'], ttl: '1h' };
    return (await suite.api.json<{ token: string }>('POST', '/tokens', body)).token;
  };

  const send = (token: string, method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(new URL(path, suite.door), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });

  let named = 0;
  async function backendOf(token: string, address: string): Promise<string> {
    const body = { name: `host ${named++}`, ...(address && { address }) };
    const reply = await send(token, 'POST', '/backends', body);
    if (reply.status !== 201) throw new Error(await reply.text());
    return String(reply.headers.get('location')).slice('/backends/'.length);
  }

  async function filesOf(serial: string): Promise<Host['files']> {
    const path = `/certs/${serial}/download`;
    const { token } = await suite.api.json<{ token: string }>('GET', `${path}/token`);
    const reply = await suite.api.anonymous(`${path}?token=${token}`, {
      accept: 'application/json',
    });
    const files = (await reply.json()) as Record<'ca' | 'certificate' | 'private_key', string>;
    const text = (base64: string): string => Buffer.from(base64, 'base64').toString();
    return { ca: text(files.ca), cert: text(files.certificate), key: text(files.private_key) };
  }

  async function enrolled(): Promise<Host> {
    const backend = await backendOf(suite.token, '');
    const path = `/certs/issue/backend/${backend}`;
    const { serial_number: serial } = await suite.api.json<{ serial_number: string }>('POST', path);
    return { backend, serial, files: await filesOf(serial) };
  }

  /** A stream that the server has admitted. */
  async function connected({ files, backend }: Host): Promise<LiveStream> {
    const { ca, key, cert } = files;
    const tls = { ca, key, cert };
    const client = new ManagerClient({
      address: suite.managers,
      dialect: 'v0.4',
      metadata: { 'glacis-protocol': 'v0.4' },
      tls,
    });
    clients.push(client);
    const messages: ServerMessage[] = [];
    let ended = false;
    const stream = client.open({
      onMessage: (message) => {
        messages.push(message);
        if (message.kind === 'terminate') stream.end();
      },
      onEnd: () => (ended = true),
    });
    await waitFor(() => isActive(backend), { what: 'a live stream' });
    return { messages, ended: () => ended };
  }

  const isActive = async (backend: string): Promise<boolean> =>
    (await suite.api.json<{ active?: boolean }>('GET', `/backends/${backend}`)).active === true;

  /** Whether the stream still carries what the backend shows. */
  const isLive = async (stream: LiveStream, { backend }: Host): Promise<boolean> =>
    !stream.ended() && stream.messages.length === 0 && (await isActive(backend));

  const closed = [{ kind: 'terminate', value: { message: 'Backend Closed' } }];

  const renewed = async (serial: string, body: object): Promise<string> => {
    const reply = await suite.api.call('PATCH', `/certs/${serial}/renew`, body);
    return String(reply.headers.get('location')).slice('/certs/'.length);
  };

  async function ocspStatus(serial: string): Promise<string | undefined> {
    const reply = await suite.api.call('POST', '/certs/ocsp', { serial_number: serial });
    const file = join(await temporaryFolder(), 'response.der');
    await writeFile(file, Buffer.from(await reply.arrayBuffer()));
    const shown = await openssl(['ocsp', '-respin', file, '-text', '-noverify']);
    return /Cert Status: (\w+)/.exec(shown.stdout.toString())?.[1];
  }

  it('certificates.md 16.3: after a renewal the old one is good on its live stream, until revoke_old ends it', async () => {
    const host = await enrolled();
    const stream = await connected(host);
    const successor = await renewed(host.serial, {});
    expect(successor).not.toBe(host.serial);
    expect((await filesOf(successor)).key).toBe(host.files.key);
    expect(await isLive(stream, host)).toBe(true);
    expect(await ocspStatus(host.serial)).toBe('good');

    await renewed(host.serial, { revoke_old: true });
    await waitFor(() => stream.ended(), { what: 'the end of the old stream' });
    expect(stream.messages).toEqual(closed);
    expect(await ocspStatus(host.serial)).toBe('revoked');
    await waitFor(async () => !(await isActive(host.backend)));
    const next = await connected({ ...host, files: await filesOf(successor) });
    expect(await isLive(next, host)).toBe(true);
  });

  /** How many bytes the server says to a client with this certificate at first; 0 when it closes without a word. */
  async function greeting({ files }: Host): Promise<number> {
    const [host = '', port = ''] = suite.managers.split(':');
    const socket = connect({
      host,
      port: Number(port),
      servername: 'localhost',
      ALPNProtocols: ['h2'],
      ...files,
    });
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
    socket.on('error', () => undefined);
    await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    socket.destroy();
    return bytes;
  }

  it('certificates.md 16.4: revocation closes the stream, the next handshake is refused before any message, others are untouched', async () => {
    const [host, other] = [await enrolled(), await enrolled()];
    expect(await greeting(host)).toBeGreaterThan(0);
    const [stream, untouched] = [await connected(host), await connected(other)];
    await suite.api.call('PATCH', `/certs/${host.serial}/revoke`, { reason: 'superseded' });
    await waitFor(() => stream.ended(), { what: 'the end of the stream' });
    expect(stream.messages).toEqual(closed);
    await waitFor(async () => !(await isActive(host.backend)));
    expect(await greeting(host)).toBe(0);
    expect(await isActive(host.backend)).toBe(false);
    expect(await isLive(untouched, other)).toBe(true);
  });

  it('certificates.md 16.10: names by what the real backends service knows', async () => {
    const [a, b] = [await member('tenant-a'), await member('tenant-b')];
    const policy = { cidrs: ['10.50.0.0/16'], dns_suffixes: ['b.example.org'] };
    await suite.api.call('PUT', '/certs/policies/tenant-b', policy);
    await suite.api.call('PUT', '/certs/policies/tenant-a', { server_auth: 'member' });
    await backendOf(b, '192.0.2.20');
    const registered = new Map<string, string>();
    const verdict = async (address: string, body: object): Promise<string> => {
      const backend = registered.get(address) ?? (await backendOf(a, address));
      registered.set(address, backend);
      const reply = await send(a, 'POST', `/certs/issue/backend/${backend}`, body);
      if (reply.status !== 422) return String(reply.status);
      return ((await reply.json()) as { reason: string }).reason;
    };
    const ip = (address: string): object => ({ ip_addresses: [address] });
    const dns = (name: string): object => ({ dns_names: [name] });
    const server = (names: object): object => ({ ...names, server_auth: true });

    expect(await verdict('192.0.2.10', ip('192.0.2.10'))).toBe('201');
    expect(await verdict('192.0.2.11', server(ip('192.0.2.11')))).toBe('201');
    expect(await verdict('', ip('192.0.2.20'))).toBe('not_granted');
    // Information about its own backend, though another tenant registered the address before.
    expect(await verdict('192.0.2.20', ip('192.0.2.20'))).toBe('201');
    expect(await verdict('192.0.2.20', server(ip('192.0.2.20')))).toBe('not_granted');
    expect(await verdict('10.50.0.9', server(ip('10.50.0.9')))).toBe('not_granted');
    expect(await verdict('www.b.example.org', server(dns('www.b.example.org')))).toBe(
      'not_granted',
    );
    expect(await verdict('', dns('managers.example.org'))).toBe('own_service');
    expect(await verdict('', dns('reserved.example.org'))).toBe('own_service');
    expect(await verdict('', ip('127.0.0.1'))).toBe('201');
    const foreign = await backendOf(b, '');
    expect((await send(a, 'POST', `/certs/issue/backend/${foreign}`, {})).status).toBe(404);
  });
}
