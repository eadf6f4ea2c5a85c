import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ComputationRun } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { loadSettings } from '@glacis/settings';
import type { GuestOrder, GuestReport } from '../vms/vm-driver.js';
import { QemuDriver, type QemuDriverOptions } from './qemu-driver.js';
import { qemuSettings } from './settings.js';

const binPath = fileURLToPath(new URL('../../test/fake-qemu.mjs', import.meta.url));
const drivers: { driver: QemuDriver; ids: Set<string> }[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-qemu-'));
  await writeFile(join(folder, 'vars.fd'), 'variables');
});

afterEach(async () => {
  for (const { driver, ids } of drivers.splice(0)) {
    for (const id of ids) await driver.stop(id);
  }
  await rm(folder, { recursive: true });
});

interface Stand {
  driver: QemuDriver;
  said: GuestReport[];
  start: (order: GuestOrder) => Promise<{ port: string }>;
}

/** A driver whose guests behave as `words` say. */
function stand(words = '', options: Partial<QemuDriverOptions> = {}): Stand {
  const env = {
    MANAGER_QEMU_BIN_PATH: binPath,
    MANAGER_QEMU_TMP_FILE_LOC: join(folder, 'vms'),
    MANAGER_QEMU_OVMF_VARS_FILE: join(folder, 'vars.fd'),
    MANAGER_QEMU_HOST_FWD_RANGE: '16100-16200',
    MANAGER_QEMU_KERNEL_CMDLINE: `quiet ${words}`,
  };
  const driver = new QemuDriver({
    settings: loadSettings(qemuSettings, { env }),
    tee: 'none',
    dialect: 'v0.4',
    link: { kind: 'serial' },
    information: () => Promise.resolve(Buffer.from('{}')),
    ...options,
  });
  const ids = new Set<string>();
  drivers.push({ driver, ids });
  const said: GuestReport[] = [];
  const start = (order: GuestOrder): Promise<{ port: string }> => {
    ids.add(order.id);
    return driver.start(order, (report) => said.push(report));
  };
  return { driver, said, start };
}

const computation = (id: string): GuestOrder => ({
  kind: 'computation',
  id,
  run: { id, datasets: [], resultConsumers: [] } as unknown as ComputationRun,
});
const cvm = (id: string, expiresAt?: Date): GuestOrder => ({
  kind: 'cvm',
  id,
  shares: { certs: { 'key.pem': Buffer.from('secret') }, env: { environment: Buffer.from('A=1') } },
  ...(expiresAt && { expiresAt }),
});
const texts = (said: GuestReport[]): string[] =>
  said.flatMap((report) => (report.kind === 'log' ? [report.text] : []));
const folders = (): Promise<string[]> => readdir(join(folder, 'vms'));

describe('a guest of QEMU', () => {
  it('gets its manifest, and its console and its agent are heard', async () => {
    const { driver, said, start } = stand();
    const { port } = await start(computation('c1'));
    expect(Number(port)).toBeGreaterThanOrEqual(16_100);
    await waitFor(() =>
      said.some((report) => report.kind === 'agent' && report.state === 'Running'),
    );
    expect(said[0]).toEqual({ kind: 'provisioning' });
    expect(texts(said)).toContain('guest is up');
    expect(texts(said)).toContain('manifest: {"id":"c1"}');
    expect(await folders()).toHaveLength(1);
    await driver.stop('c1');
    expect(await folders()).toEqual([]);
    await driver.stop('c1');
  });

  it('a QEMU that fails tells why, and leaves nothing', async () => {
    const { start } = stand('fails');
    await expect(start(computation('c1'))).rejects.toThrow('qemu: could not open kernel');
    expect(await folders()).toEqual([]);
  });

  it('a QEMU that is not there is told of', async () => {
    const settings = loadSettings(qemuSettings, {
      env: {
        MANAGER_QEMU_BIN_PATH: '/nowhere/qemu',
        MANAGER_QEMU_TMP_FILE_LOC: join(folder, 'vms'),
        MANAGER_QEMU_OVMF_VARS_FILE: join(folder, 'vars.fd'),
      },
    });
    const { start } = stand('', { settings });
    await expect(start(computation('c1'))).rejects.toThrow('/nowhere/qemu ENOENT');
    expect(await folders()).toEqual([]);
  });

  it('one that ends by itself has failed, and its place is free', async () => {
    const { said, start } = stand('powersoff');
    await start(computation('c1'));
    await waitFor(() => said.at(-1)?.kind === 'failed');
    expect(said.at(-1)).toEqual({ kind: 'failed', reason: 'the guest has ended' });
    expect(await folders()).toEqual([]);
    await start(computation('c1'));
  });

  it('is stopped while its agent is waited for', async () => {
    const { driver, said, start } = stand('mute');
    const started = start(computation('c1'));
    started.catch(() => undefined);
    await waitFor(() => texts(said).includes('guest is up'));
    await driver.stop('c1');
    await expect(started).rejects.toThrow('stopped while starting');
    expect(await folders()).toEqual([]);
  });

  it('is killed when it does not end', async () => {
    const { driver, start } = stand('stubborn');
    await start(computation('c1'));
    await driver.stop('c1');
    expect(await folders()).toEqual([]);
  });

  it('its manifest goes over vsock by a program, again until that succeeds', async () => {
    const heard = join(folder, 'heard');
    const script = `const fs = require('fs'); const text = fs.readFileSync(0);
      if (!fs.existsSync('${heard}')) { fs.writeFileSync('${heard}', ''); process.exit(1); }
      fs.writeFileSync('${heard}', process.argv[1] + ' ' + text);`;
    const command = [process.execPath, '-e', script, '{cid}'];
    const { start } = stand('', { link: { kind: 'vsock', command } });
    await start(computation('c1'));

    expect(await readFile(heard, 'utf8')).toBe('3 {"id":"c1"}');
  });
});

describe('a manager that takes the place of a killed one', () => {
  it('finds the guest, hears its console, and stops it', async () => {
    const expiresAt = new Date('2030-01-01T00:00:00Z');
    const { port } = await stand().start(cvm('vm1', expiresAt));
    const heard: [string, GuestReport][] = [];
    const { driver } = stand();
    expect(await driver.recover((id, report) => heard.push([id, report]))).toEqual([
      { kind: 'cvm', id: 'vm1', port, expiresAt },
    ]);
    await waitFor(() => texts(heard.map(([, report]) => report)).includes('tick'));
    expect(heard[0]?.[0]).toBe('vm1');
    await driver.stop('vm1');
    expect(await folders()).toEqual([]);
  });

  it('gives no guest the port of one that it found', async () => {
    const { port } = await stand().start(cvm('vm1'));
    const next = stand();
    await next.driver.recover(() => undefined);
    expect((await next.start(cvm('vm2'))).port).not.toBe(port);
    await next.driver.stop('vm1');
  });

  it('removes what is left of guests that have ended', async () => {
    const { start, driver } = stand('powersoff');
    await start(cvm('vm1'));
    const [name] = await folders();
    await driver.stop('vm1');

    await mkdir(join(folder, 'vms', name ?? ''));
    expect(await stand().driver.recover(() => undefined)).toEqual([]);
    expect(await folders()).toEqual([]);
  });
});
