import { main } from '@glacis/cli';
import { waitFor } from '@glacis/runtime';
import { openssl, temporaryFolder } from '@glacis/testbed';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../src/demo/child.js';
import type { RunningSuite } from './running-suite.js';

const program = fileURLToPath(new URL('../../manager/dist/main.js', import.meta.url));

/** The way of the README, with its commands, on a suite that runs and is empty. */
export function readmeWay(suite: () => RunningSuite): void {
  let dir: string;

  beforeAll(async () => {
    dir = await temporaryFolder();
  });

  /** The command line as a user would type it; its output when it succeeded. */
  async function glacis(...argv: string[]): Promise<string> {
    const { door, tokenFile } = suite();
    const where = ['--server', door, '--token-file', tokenFile];
    let out = '';
    let err = '';
    const code = await main([...where, ...argv], {
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
    });
    if (code !== 0) throw new Error(`${argv.join(' ')}: exit ${code} ${err}`);
    return out;
  }
  const json = async <T>(...argv: string[]): Promise<T> =>
    JSON.parse(await glacis(...argv, '-o', 'json')) as T;

  interface Backend {
    id: string;
    active?: boolean;
    certificate_serial?: string;
  }
  let backend: Backend;
  let serial: string;
  let tls: string;

  function manager(env: Record<string, string> = {}): Child {
    return Child.start(program, {
      MANAGER_GRPC_URL: suite().managers,
      MANAGER_GRPC_SERVER_CA_CERTS: join(tls, 'ca.pem'),
      MANAGER_GRPC_CLIENT_CERT: join(tls, 'cert.pem'),
      MANAGER_GRPC_CLIENT_KEY: join(tls, 'key.pem'),
      GLACIS_MANAGER_HTTP_PORT: '0',
      GLACIS_MANAGER_VM_DRIVER: 'stub',
      GLACIS_MANAGER_STATE_DIR: join(dir, 'state'),
      ...env,
    });
  }
  /** A manager is a process that has to start first. */
  const connecting = { what: 'an active backend', deadlineMs: 30_000 };
  const active = async (): Promise<boolean> =>
    (await json<Backend>('backend', 'show', backend.id)).active === true;

  describe('the way of the README, with its commands', () => {
    it('tells that it is ready', async () => {
      expect(await glacis('status')).toMatch(/database|store|backends/);
    });

    it('enrols a host', async () => {
      backend = await json('backend', 'create', '--name', 'rack1-host3', '--address', '127.0.0.1');
      const listed = await json<Backend[]>('backend', 'list');
      expect(listed.map(({ id }) => id)).toEqual([backend.id]);
    });

    it('issues and downloads a certificate that openssl accepts', async () => {
      const issued = await json<{ serial_number: string }>(
        'cert',
        'issue',
        backend.id,
        '--ip',
        '127.0.0.1',
      );
      serial = issued.serial_number;
      tls = join(dir, 'tls');
      await glacis('cert', 'download', serial, '--out', tls);
      const files = ['-CAfile', join(tls, 'ca.pem'), join(tls, 'cert.pem')];
      const verified = await openssl(['verify', '-x509_strict', ...files]);
      expect(verified).toMatchObject({ code: 0 });
    });

    it('connects the manager and shows the host live', async () => {
      const connected = manager();
      await waitFor(active, connecting);
      expect((await json<Backend>('backend', 'show', backend.id)).certificate_serial).toBe(serial);
      await connected.stop();
      await waitFor(async () => !(await active()), { what: 'an inactive backend' });
    });

    it('terminates a stream on demand; the manager prints both lines and exits 0', async () => {
      const connected = manager({ GLACIS_MANAGER_PROTOCOL: 'v0.2' });
      await waitFor(active, connecting);
      await glacis('backend', 'terminate', backend.id, '--reason', 'maintenance');
      expect(await connected.exited).toBe(0);
      await connected.line(
        /manager service terminated: server requested client termination\\nBackend Closed/,
      );
      await connected.line(/Error shutting down tracer provider: context canceled/);
      await waitFor(async () => !(await active()));
    });

    it('renews with a new serial and the same key, and revokes: the stream ends, the next is refused', async () => {
      const renewed = await json<{ serial_number: string }>('cert', 'renew', serial);
      expect(renewed.serial_number).not.toBe(serial);
      const connected = manager();
      await waitFor(active, connecting);
      await glacis('cert', 'revoke', serial, '--reason', 'keyCompromise');
      await connected.line(/Backend Closed/);
      expect(await connected.exited).toBe(0);
      const refused = manager({ GLACIS_MANAGER_RECONNECT: 'false' });
      await refused.exited;
      expect(await active()).toBe(false);
    });

    it('makes, lists and revokes tokens', async () => {
      const made = await json<{ id: string; token: string }>(
        'token',
        'create',
        '--subject',
        'ci',
        '--tenant',
        'default',
        '--role',
        'member',
        '--ttl',
        '1h',
      );
      const headers = { authorization: `Bearer ${made.token}` };
      expect((await fetch(`${suite().door}/backends`, { headers })).status).toBe(200);
      expect(await glacis('token', 'list')).toContain(made.id);
      await glacis('token', 'revoke', made.id);
      expect((await fetch(`${suite().door}/backends`, { headers })).status).toBe(401);
    });

    it('has no dead letters and an intact audit trail of every service', async () => {
      expect(await json('events', 'dead-letters')).toEqual([]);
      const trails = await json<{ service: string; intact: boolean; sealed: number }[]>(
        'audit',
        'verify',
      );
      // Services apart are those that were started; in one process there are all.
      expect(trails.map(({ service }) => service)).toEqual(
        expect.arrayContaining(['backends', 'certificates', 'gateway', 'graph-apps']),
      );
      expect(trails.every(({ intact }) => intact)).toBe(true);
    });
  });

  it('describes every route in one document and every error on a page', async () => {
    interface Document {
      paths: Record<string, Record<string, { responses: object; summary?: string }>>;
    }
    const expected = ['/backends', '/certs/{serial}', '/tokens', '/audit/backends', '/certs/ocsp'];
    // A service that runs apart and does not answer in time is left out.
    const document = await waitFor(
      async () => {
        const found = (await (await fetch(`${suite().door}/openapi.json`)).json()) as Document;
        return expected.every((path) => path in found.paths) && found;
      },
      { what: 'the document of all services', deadlineMs: 30_000 },
    );
    for (const operation of Object.values(document.paths).flatMap((methods) =>
      Object.values(methods),
    )) {
      expect(operation.summary).toBeTruthy();
    }
    const problem = (await (await fetch(`${suite().door}/backends`)).json()) as { type: string };
    const slug = problem.type.split('/').pop();
    expect((await fetch(`${suite().door}/problems/${slug}`)).status).toBe(200);
  });
}
