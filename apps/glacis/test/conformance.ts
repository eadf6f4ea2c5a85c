import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { waitFor } from '@glacis/runtime';
import { openssl, temporaryFolder } from '@glacis/testbed';
import { closed, Hosts, type Host } from './hosts.js';
import type { RunningSuite } from './running-suite.js';

/** What the items below need of the suite's settings. */
export const conformanceSettings = {
  GLACIS_CERTS_ALLOW_LOOPBACK: 'true',
  GLACIS_CERTS_RESERVED_NAMES: 'reserved.example.org',
  GLACIS_BACKENDS_PUBLIC_NAMES: 'localhost,127.0.0.1,managers.example.org',
};

/** What certificates and streams show from outside, however the suite was started. */
export function conformance(suite: () => RunningSuite): void {
  const hosts = new Hosts(suite);

  afterAll(() => hosts.close());

  const member = async (tenant: string): Promise<string> => {
    const body = { subject: `member of ${tenant}`, tenant, roles: ['member'], ttl: '1h' };
    return (await suite().api.json<{ token: string }>('POST', '/tokens', body)).token;
  };

  const send = (token: string, method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(new URL(path, suite().door), {
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

  const renewed = async (serial: string, body: object): Promise<string> => {
    const reply = await suite().api.call('PATCH', `/certs/${serial}/renew`, body);
    return String(reply.headers.get('location')).slice('/certs/'.length);
  };

  async function ocspStatus(serial: string): Promise<string | undefined> {
    const reply = await suite().api.call('POST', '/certs/ocsp', { serial_number: serial });
    const file = join(await temporaryFolder(), 'response.der');
    await writeFile(file, Buffer.from(await reply.arrayBuffer()));
    const shown = await openssl(['ocsp', '-respin', file, '-text', '-noverify']);
    return /Cert Status: (\w+)/.exec(shown.stdout.toString())?.[1];
  }

  it('certificates.md 16.3: after a renewal the old one is good on its live stream, until revoke_old ends it', async () => {
    const host = await hosts.enrolled();
    const stream = await hosts.connected(host);
    const successor = await renewed(host.serial, {});
    expect(successor).not.toBe(host.serial);
    expect((await hosts.files(successor)).key).toBe(host.files.key);
    expect(await hosts.isLive(stream, host)).toBe(true);
    expect(await ocspStatus(host.serial)).toBe('good');

    await renewed(host.serial, { revoke_old: true });
    await waitFor(() => stream.status() !== undefined, { what: 'the end of the old stream' });
    expect(stream.messages).toEqual(closed);
    expect(await ocspStatus(host.serial)).toBe('revoked');
    await waitFor(async () => !(await hosts.isActive(host)));
    const next = await hosts.connected({ ...host, files: await hosts.files(successor) });
    expect(await hosts.isLive(next, host)).toBe(true);
  });

  /** How many bytes the server says to a client with this certificate at first; 0 when it closes without a word. */
  async function greeting({ files }: Host): Promise<number> {
    const [host = '', port = ''] = suite().managers.split(':');
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
    const [host, other] = [await hosts.enrolled(), await hosts.enrolled()];
    expect(await greeting(host)).toBeGreaterThan(0);
    const [stream, untouched] = [await hosts.connected(host), await hosts.connected(other)];
    await suite().api.call('PATCH', `/certs/${host.serial}/revoke`, { reason: 'superseded' });
    await waitFor(() => stream.status() !== undefined, { what: 'the end of the stream' });
    expect(stream.messages).toEqual(closed);
    await waitFor(async () => !(await hosts.isActive(host)));
    expect(await greeting(host)).toBe(0);
    expect(await hosts.isActive(host)).toBe(false);
    expect(await hosts.isLive(untouched, other)).toBe(true);
  });

  it('certificates.md 16.10: names by what the real backends service knows', async () => {
    const [a, b] = [await member('tenant-a'), await member('tenant-b')];
    const policy = { cidrs: ['10.50.0.0/16'], dns_suffixes: ['b.example.org'] };
    await suite().api.call('PUT', '/certs/policies/tenant-b', policy);
    await suite().api.call('PUT', '/certs/policies/tenant-a', { server_auth: 'member' });
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
