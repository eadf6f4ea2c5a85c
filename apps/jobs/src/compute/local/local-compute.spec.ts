import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { findProcesses, temporaryFolder } from '@glacis/testbed';
import { waitFor } from '@glacis/runtime';
import type { Instance, NewInstance } from '../compute-provider.js';
import { agentArguments } from '../agent-command.js';
import { LocalCompute } from './local-compute.js';
import { isAlive, startOf } from './process-identity.js';

const call = { timeoutMs: 10_000 };

/** A coordinator that takes connections and says nothing, so that agents stay. */
let silent: Server;
const sockets = new Set<Socket>();
let compute: LocalCompute;
let folder: string;

beforeAll(async () => {
  silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  silent.close();
});
beforeEach(async () => {
  folder = join(await temporaryFolder(), 'parties');
  compute = new LocalCompute({ folder });
});
afterEach(async () => {
  for (const { ref } of await compute.listByTag({})) await compute.terminate(ref, call);
});

const wish = (changes: Partial<NewInstance> = {}): NewInstance => ({
  tags: { job: randomUUID(), party: 1, attempt: 1, expires: new Date('2026-11-23T00:00:00Z') },
  runId: randomUUID(),
  token: 'a token',
  config: {
    coordinator: `https://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    coordinator_ca: 'none',
  },
  ...changes,
});

const pidsOf = async ({ runId }: Instance): Promise<number[]> =>
  (await findProcesses(runId)).map(({ pid }) => pid);

test('jobs.md 9: an agent is started once, found by its tags, and ended whatever it does', async () => {
  const wished = wish();
  const [first, again] = await Promise.all([
    compute.ensureInstance(wished),
    compute.ensureInstance(wished),
  ]);
  expect(again).toEqual(first);
  const [pid] = (await pidsOf(first)) as [number];
  expect(await pidsOf(first)).toHaveLength(1);
  const { tags } = wished;
  expect(await compute.listByTag({ job: tags.job })).toEqual([first]);
  expect(await compute.listByTag({ job: 'another' })).toEqual([]);
  const other = wish({ tags, runId: randomUUID() });
  await expect(compute.ensureInstance(other)).rejects.toMatchObject({ code: 'exists' });

  // A party that has been stopped hears no signal but one.
  process.kill(pid, 'SIGSTOP');
  await compute.terminate(first.ref, call);
  expect(await pidsOf(first)).toEqual([]);
  expect(await compute.describe(first.ref)).toBeUndefined();
  await compute.terminate(first.ref, call);

  const second = await compute.ensureInstance(other);
  expect(second.runId).toBe(other.runId);
});

test('jobs.md 10.2: what an agent is given: its token, its directory, and nothing else', async () => {
  const wished = wish();
  const instance = await compute.ensureInstance(wished);
  const [pid] = (await pidsOf(instance)) as [number];
  const own = join(folder, wished.tags.job, '1');
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
  expect(environment.split('\0').filter(Boolean)).toEqual(['GLACIS_AGENT_TOKEN=a token']);
  expect((await stat(own)).mode & 0o777).toBe(0o700);
  const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
  expect(command.join(' ')).not.toContain('a token');
  await waitFor(async () => (await readdir(own)).includes('mac.key'));
  expect((await stat(join(own, 'mac.key'))).mode & 0o777).toBe(0o600);
  await compute.terminate(instance.ref, call);
  // Bucket keys outlive attempts; the rest goes.
  expect(await readdir(join(folder, wished.tags.job))).toEqual(['1']);
  await compute.forget(wished.tags.job);
  expect(await readdir(folder)).toEqual([]);
});

test('jobs.md 10.2: under the permission model it reads and starts nothing of others', async () => {
  const own = await temporaryFolder();
  const secret = join(await temporaryFolder(), 'of another party');
  await writeFile(secret, 'a share');
  const program = `
    const tries = {
      read: () => require('node:fs').readFileSync(${JSON.stringify(secret)}),
      write: () => require('node:fs').writeFileSync(${JSON.stringify(secret)}, ''),
      up: () => require('node:fs').readdirSync('..'),
      child: () => require('node:child_process').spawnSync('true'),
      thread: () => new (require('node:worker_threads').Worker)('', { eval: true }),
      own: () => require('node:fs').writeFileSync(${JSON.stringify(join(own, 'x'))}, ''),
    };
    const codeOf = (attempt) => { try { attempt(); return 'done'; } catch (error) { return error.code; } };
    console.log(JSON.stringify(Object.fromEntries(Object.entries(tries).map(([name, attempt]) => [name, codeOf(attempt)]))));
  `;
  const flags = agentArguments(own, 'run').filter((argument) => argument.startsWith('--'));
  const allowed = flags.slice(0, flags.indexOf('--run'));
  const child = spawn(process.execPath, [...allowed, '-e', program], { cwd: own, env: {} });
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  const denied = 'ERR_ACCESS_DENIED';
  expect(JSON.parse(chunk.toString())).toEqual({
    read: denied,
    write: denied,
    up: denied,
    child: denied,
    thread: denied,
    own: 'done',
  });
});

test('jobs.md 9: a number that another process got since is never trusted', async () => {
  const started = await startOf(process.pid);
  expect(started).toBeGreaterThan(0);
  const self = { pid: process.pid, started: started ?? 0 };
  const [argument = ''] = (await readFile('/proc/self/cmdline', 'utf8')).split('\0').slice(1);
  expect(await isAlive(self, argument)).toBe(true);
  expect(await isAlive({ ...self, started: self.started - 1 }, argument)).toBe(false);
  expect(await isAlive(self, 'another run')).toBe(false);
  expect(await startOf(2 ** 22 + 1)).toBeUndefined();
});

test('jobs.md 10.2: agents end with who started them', async () => {
  const wished = wish();
  const own = await temporaryFolder();
  await writeFile(join(own, 'agent.json'), JSON.stringify(wished.config));
  const child = spawn(process.execPath, agentArguments(own, wished.runId), {
    cwd: own,
    env: { GLACIS_AGENT_TOKEN: 'a token' },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await waitFor(async () => (await readdir(own)).includes('mac.key'));
  const exited = once(child, 'exit');
  child.stdin.destroy();
  expect(await exited).toEqual([1, null]);
});
