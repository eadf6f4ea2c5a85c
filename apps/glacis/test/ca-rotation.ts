import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { ManagerListener } from '@glacis/backends';
import { Rotation } from '@glacis/certificates';
import { ManagerClient } from '@glacis/grpc';
import { makeHost, type Program } from '@glacis/host';
import { TokenIssuer } from '@glacis/identity';
import { createLogger } from '@glacis/observability';
import { bareCsr, fromPem, privateKeyPem, toPem } from '@glacis/pki';
import { waitFor } from '@glacis/runtime';
import { loadSettings } from '@glacis/settings';
import { openStore, type Store } from '@glacis/store';
import { openssl, temporaryFolder, testDatabase, type TestDatabase } from '@glacis/testbed';
import { openDataFolder } from '../src/data-folder.js';
import { Api } from '../src/demo/api.js';
import { suiteSettings } from '../src/settings.js';
import { open } from '../src/suite.js';

interface Client {
  backend: string;
  serial: string;
  cert: string;
  ended: boolean;
}

const atOnce = 16;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = privateKeyPem(privateKey);
const csr = toPem('CERTIFICATE REQUEST', bareCsr(privateKey));

/** A root rotation, and then the compromise of the old intermediate, while so many managers are connected. */
export function caRotation(managers: number): void {
  let database: TestDatabase;
  let program: Program;
  let store: Store;
  let api: Api;
  let platform: Api;
  let address: string;
  const connections: ManagerClient[] = [];

  beforeAll(async () => {
    const ports = ['BACKENDS_MANAGER', 'BACKENDS_AGENT', 'CERTS_EST'];
    for (const name of ports) process.env[`GLACIS_${name}_PORT`] = '0';
    // All of them dial from one address.
    process.env['GLACIS_BACKENDS_HANDSHAKES'] = '10000';
    database = await testDatabase();
    const dataFolder = await openDataFolder(join(await temporaryFolder(), 'data'));
    const settings = loadSettings(suiteSettings, {
      env: {},
      overrides: { port: '0', logLevel: 'error' },
    });
    program = await open(settings, dataFolder, makeHost('test', settings, database.url));
    address = `127.0.0.1:${program.app.get(ManagerListener, { strict: false }).port}`;
    const issuer = program.app.get(TokenIssuer);
    const apiFor = async (tenant: string | null, roles: string[]): Promise<Api> => {
      const claims = { subject: 'tester', tenant, roles, ttlMs: 3_600_000 };
      return new Api(program.url, (await issuer.issue(claims)).token);
    };
    api = await apiFor('tenant-a', ['admin']);
    platform = await apiFor(null, ['platform-admin']);
    store = await openStore({
      service: 'certificates',
      url: database.url,
      migrations: [],
      logger: createLogger({ name: 'test', level: 'silent' }),
      poolSize: 1,
    });
  }, 120_000);

  afterAll(async () => {
    for (const connection of connections) connection.close();
    await store?.close();
    await program?.stop();
    await database?.drop();
  }, 60_000);

  let named = 0;
  async function enrolled(): Promise<Client> {
    const reply = await api.call('POST', '/backends', { name: `host ${named++}` });
    const backend = String(reply.headers.get('location')).slice('/backends/'.length);
    const issued = await api.json<{ serial_number: string; certificate: string }>(
      'POST',
      `/certs/csrs/${backend}`,
      { csr },
    );
    return { backend, serial: issued.serial_number, cert: issued.certificate, ended: false };
  }

  const text = async (path: string): Promise<string> => (await api.anonymous(path)).text();

  /** A manager that holds its stream for as long as the server lets it. */
  async function connected(client: Client, ca: string): Promise<Client> {
    const connection = new ManagerClient({
      address,
      dialect: 'v0.4',
      metadata: { 'glacis-protocol': 'v0.4' },
      tls: { ca, key, cert: client.cert },
    });
    connections.push(connection);
    await new Promise<void>((resolve, reject) => {
      const stream = connection.open({
        onOpen: resolve,
        onMessage: (message) => {
          if (message.kind === 'terminate') stream.end();
        },
        onEnd: (status) => {
          client.ended = true;
          reject(new Error(`ended: ${JSON.stringify(status)}`));
        },
      });
    });
    return client;
  }

  async function fleet(count: number, ca: string): Promise<Client[]> {
    const clients: Client[] = [];
    const worker = async (): Promise<void> => {
      while (clients.length < count) {
        const client = await enrolled();
        if (clients.push(client) <= count) await connected(client, ca);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return clients.slice(0, count);
  }

  async function assertAllLive(clients: readonly Client[]): Promise<void> {
    expect(clients.filter(({ ended }) => ended).map(({ serial }) => serial)).toEqual([]);
    const { total } = await api.json<{ total: number }>('GET', '/backends?limit=1&status=active');
    expect(total).toBeGreaterThanOrEqual(clients.length);
  }

  /** What openssl says of a leaf with what its holder sends along, by the CRLs of all issuers. */
  async function verified(client: Client, trust: string): Promise<string> {
    const folder = await temporaryFolder();
    const at = (name: string): string => join(folder, name);
    await writeFile(at('cert.pem'), client.cert);
    await writeFile(at('trust.pem'), trust);
    const chain = ['-untrusted', at('cert.pem'), '-CAfile', at('trust.pem'), at('cert.pem')];
    const said = await openssl(['verify', '-x509_strict', ...chain]);
    return said.stdout.toString() + said.stderr;
  }

  const issuerOf = async ({ serial }: Client): Promise<string> =>
    (await api.json<{ issuer_id: string }>('GET', `/certs/${serial}`)).issuer_id;

  async function serverVerifies(ca: string, client: Client): Promise<boolean> {
    const [host = '', port = ''] = address.split(':');
    const tls = { ca, key, cert: client.cert, ALPNProtocols: ['h2'], servername: 'localhost' };
    const socket = connect({ host, port: Number(port), ...tls });
    try {
      await once(socket, 'secureConnect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }

  const rootsNow = async (): Promise<string[]> =>
    fromPem(await text('/certs/ca?only=roots')).map(({ der }) => toPem('CERTIFICATE', der));

  let old: Client[] = [];
  let fresh: Client[] = [];

  it('a root rotation leaves every live client connected; old and new leaves verify at each moment', async () => {
    const before = await text('/certs/ca?only=roots');
    const [oldRoot = ''] = await rootsNow();
    old = await fleet(managers, before);
    const [sample] = old;
    if (sample === undefined) throw new Error('no manager');
    expect(await verified(sample, before)).toMatch(/: OK/);

    await platform.call('POST', '/certs/ca/rotations', { kind: 'root' });
    await assertAllLive(old);
    const [, newRoot = ''] = await rootsNow();
    const pending = await enrolled();
    for (const trust of [oldRoot, newRoot]) {
      expect(await verified(pending, trust)).toMatch(/: OK/);
    }
    expect(await verified(sample, await text('/certs/ca'))).toMatch(/: OK/);

    // The day of overlap is over.
    await store.query(
      `UPDATE issuers SET signs_from = now(), row_version = row_version + 1 WHERE state = 'pending'`,
    );
    await program.app.get(Rotation, { strict: false }).check();
    await assertAllLive(old);
    fresh = await fleet(Math.ceil(managers / 10), oldRoot);
    await assertAllLive([...old, ...fresh]);
    expect(await issuerOf(fresh[0]!)).not.toBe(await issuerOf(sample));
    for (const trust of [oldRoot, newRoot, await text('/certs/ca')]) {
      expect(await verified(fresh[0]!, trust)).toMatch(/: OK/);
    }
    expect(await verified(sample, await text('/certs/ca'))).toMatch(/: OK/);
  }, 300_000);

  it('certificates.md 16.8: our server verifies with the old root alone and with the new one alone', async () => {
    for (const root of await rootsNow()) {
      await waitFor(() => serverVerifies(root, fresh[0]!), {
        what: 'a server certificate with its cross certificate',
        deadlineMs: 120_000,
        everyMs: 500,
      });
    }
    await assertAllLive([...old, ...fresh]);
  }, 300_000);

  it('certificates.md 16.9: one event ends every stream of a compromised intermediate, and no other', async () => {
    await platform.call('PATCH', `/certs/ca/${await issuerOf(old[0]!)}/revoke`);
    await waitFor(() => old.every(({ ended }) => ended), {
      what: 'the end of all streams under it',
      deadlineMs: 30_000,
    });
    await assertAllLive(fresh);
    const [{ count } = { count: '' }] = await store.query<{ count: string }>(
      `SELECT count(*) FROM outbox WHERE envelope::json->>'type' LIKE '%revoked'`,
    );
    expect(count).toBe('1');
    await expect(connected(old[0]!, await text('/certs/ca?only=roots'))).rejects.toThrow(/ended/);
  }, 60_000);
}
