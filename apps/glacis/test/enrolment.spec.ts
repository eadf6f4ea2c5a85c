import { X509Certificate } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLog, loadManagerSettings, startProgram } from '@glacis/manager';
import { serialToDecimal } from '@glacis/pki';
import { systemClock, waitFor } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { Child } from '../src/demo/child.js';
import { startSuite, type EmbeddedSuite } from './running-suite.js';

const manager = fileURLToPath(new URL('../../manager/dist/main.js', import.meta.url));
const day = 86_400_000;

let suite: EmbeddedSuite;
let server: string;

beforeAll(async () => {
  suite = await startSuite({ GLACIS_CERTS_ENROL_RATE: '1000' });
  [, server = ''] = await suite.process.line(/enrolment (\S+?),/);
});
afterAll(() => suite?.close());

/** A host with a backend, a token, and a state folder of its own. */
interface Host {
  backend: string;
  token: string;
  caSha256: string;
  folder: string;
}

async function host(): Promise<Host> {
  const folder = await temporaryFolder();
  const made = await suite.api.call('POST', '/backends', { name: folder });
  const backend = made.headers.get('location')?.split('/').at(-1) ?? '';
  const path = `/backends/${backend}/enrolment-tokens`;
  const { token, ca_sha256: caSha256 } = await suite.api.json<Record<string, string>>('POST', path);
  return { backend, token: token ?? '', caSha256: caSha256 ?? '', folder };
}

interface Outcome {
  code: number | null;
  printed: string;
}

/** `manager enrol` as an operator runs it, the token in a file. @param change of its command line */
async function enrol(
  { backend, token, caSha256, folder }: Host,
  change: Record<string, string> = {},
): Promise<Outcome> {
  const file = join(folder, 'token');
  await writeFile(file, `${token}\n`);
  const options = { server, backend, 'token-file': file, 'ca-sha256': caSha256, ...change };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const child = Child.start(manager, { GLACIS_MANAGER_STATE_DIR: folder }, ['enrol', ...args]);
  const code = await child.exited;
  return { code, printed: child.printed.join('\n') };
}

async function serialIn(folder: string): Promise<string> {
  const certificate = new X509Certificate(await readFile(join(folder, 'cert.pem')));
  return serialToDecimal(certificate.serialNumber);
}

const certificatesOf = (backend: string): Promise<{ total: number }> =>
  suite.api.json('GET', `/certs?entity_id=${backend}`);

describe('backends.md 16.12: manager enrol', () => {
  it('leaves its files, exits 0, and may be repeated', async () => {
    const made = await host();
    const first = await enrol(made);
    expect(first).toMatchObject({ code: 0, printed: expect.stringContaining('enrolled') });
    const serial = await serialIn(made.folder);
    expect((await stat(join(made.folder, 'key.pem'))).mode & 0o777).toBe(0o600);
    expect((await enrol(made)).code).toBe(0);
    expect(await serialIn(made.folder)).toBe(serial);
    expect((await certificatesOf(made.backend)).total).toBe(1);
  });

  it('exits 1 with the name of the problem when it is refused, 75 when nobody answers', async () => {
    const made = await host();
    const thief = { ...made, folder: await temporaryFolder() };
    const outcomes = [
      await enrol(made, { 'ca-sha256': '0'.repeat(64) }),
      await enrol(made, { server: 'localhost:1' }),
      await enrol(made),
      await enrol(thief),
    ];
    expect(outcomes).toMatchObject([
      { code: 1, printed: expect.stringContaining('ca-mismatch') },
      { code: 75, printed: expect.stringContaining('no connection') },
      { code: 0 },
      { code: 1, printed: expect.stringContaining('enrolment-token-invalid') },
    ]);
  });
});

describe('backends.md 16.12: an enrolled manager', () => {
  it('connects without certificate settings, and renews by itself at two thirds of life', async () => {
    const made = await host();
    expect((await enrol(made)).code).toBe(0);
    const old = await serialIn(made.folder);
    const shown = (): Promise<Record<string, unknown>> =>
      suite.api.json('GET', `/backends/${made.backend}`);
    const live = (serial: string): Promise<unknown> =>
      waitFor(async () => {
        const { active, certificate_serial: current } = await shown();
        return active === true && current === serial;
      });

    // The host idles for 70 days, from the moment on that `idled` tells.
    let aheadMs = 0;
    const idled = new EventEmitter();
    const settings = loadManagerSettings({
      env: {
        MANAGER_GRPC_URL: suite.managers,
        GLACIS_MANAGER_STATE_DIR: made.folder,
        GLACIS_MANAGER_HTTP_PORT: '0',
        COCOS_JAEGER_URL: '',
      },
    });
    const program = await startProgram(settings, createLog('error'), {
      clock: { now: () => new Date(systemClock.now().getTime() + aheadMs) },
      sleep: (_ms, signal) => once(idled, 'wake', { signal }),
    });
    await live(old);
    aheadMs = 70 * day;
    idled.emit('wake');
    await waitFor(async () => (await serialIn(made.folder)) !== old);
    const renewed = await serialIn(made.folder);
    await live(renewed);
    expect((await certificatesOf(made.backend)).total).toBe(2);
    program.manager.stop();
    expect(await program.ended).toBe('stopped');
  });
});
