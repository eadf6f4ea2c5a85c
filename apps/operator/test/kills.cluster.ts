// The operator killed after each single write of each thing that it does, and started again: the same end as if nothing
// had happened, and nothing done twice. And where the private keys are not.
import { X509Certificate } from 'node:crypto';
import { unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { jest } from '@jest/globals';
import type { OperatorProcess } from './operator-process.js';
import { isCurrent, World } from './world.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

const preload = fileURLToPath(new URL('kill-after-write.mjs', import.meta.url));
/** More writes than anything takes. */
const maxWrites = 30;

let world: World;
let operator: OperatorProcess;
let killFile: string;
/** Every private key that there was. */
const keys = new Set<string>();
const starts: Record<string, number> = {};

beforeAll(async () => {
  world = await World.open();
  killFile = join(await temporaryFolder(), 'kill');
  operator = await world.operator({ preload, env: { KILL_FILE: killFile } });
  await operator.start();
});
afterAll(async () => {
  process.stderr.write(`writes after which the operator was killed: ${JSON.stringify(starts)}\n`);
  await operator?.daemon.stop();
  await world?.close();
});

interface Story {
  /** Has it happen, for the n-th time. */
  begin: (n: number) => Promise<unknown>;
  /** It is as it is to be. */
  isDone: (n: number) => Promise<boolean>;
  /** What must hold then. */
  check: (n: number) => Promise<void>;
}

/** Whether the order to be killed was carried out; if not, it is withdrawn. */
async function isKilled(): Promise<boolean> {
  try {
    await unlink(killFile);
    return false;
  } catch {
    await waitFor(() => !operator.daemon.running, { deadlineMs: 10_000, what: 'the end' });
    return true;
  }
}

/** The story again and again, the operator killed after its first write, after its second, until it gets to the end. */
async function sweep(name: string, { begin, isDone, check }: Story): Promise<void> {
  for (let n = 1; n <= maxWrites; n++) {
    await writeFile(killFile, `${n} ${name}`);
    await begin(n);
    const limit = { deadlineMs: 90_000, everyMs: 50, what: `${name}, killed after write ${n}` };
    await waitFor(async () => !operator.daemon.running || isDone(n), limit);
    const killed = await isKilled();
    if (killed) await operator.start();
    await waitFor(() => isDone(n), limit);
    await check(n);
    starts[name] = n;
    if (!killed) return expect(n).toBeGreaterThan(1);
  }
  throw new Error(`${name} does not come to an end`);
}

async function isRunning(name: string): Promise<boolean> {
  const manager = await world.read(name);
  return manager.status?.phase === 'Running' && isCurrent(manager);
}

async function serialOf(name: string): Promise<string | undefined> {
  const { status } = await world.read(name);
  const { 'key.pem': key = '' } = await world.files(name);
  keys.add(key);
  return status?.certificateSerial;
}

/** How often the suite did something to a subject, as its audit trail says. */
async function count(
  service: 'backends' | 'certificates',
  action: string,
  subject: string,
): Promise<number> {
  const path = `/audit/${service}?action=${action}&subject=${encodeURIComponent(subject)}`;
  return (await world.suite.call<{ total: number }>('GET', path)).total;
}

async function onlyValid(name: string): Promise<void> {
  const { status } = await world.read(name);
  expect(await world.valid(status?.backendId)).toEqual([status?.certificateSerial]);
  expect(Object.keys(await world.files(name)).toSorted()).toEqual([
    'ca.pem',
    'cert.pem',
    'key.pem',
  ]);
}

test('backends.md 16.9: killed at each step of a creation', async () => {
  const name = (n: number): string => `created-${n}`;
  await sweep('creation', {
    begin: (n) => world.create(name(n)),
    isDone: (n) => isRunning(name(n)),
    check: async (n) => {
      await serialOf(name(n));
      await onlyValid(name(n));
      const path = `/backends?name=${name(n)}`;
      const { backends } = await world.suite.call<{ backends: { name: string }[] }>('GET', path);
      expect(backends.filter((backend) => backend.name === name(n))).toHaveLength(1);
    },
  });
  expect(starts['creation']).toBeGreaterThan(6);
});

/** A story in which a certificate is replaced. */
function replacing(name: (n: number) => string, change: (n: number) => Promise<unknown>): Story {
  let before: string | undefined;
  return {
    begin: async (n) => {
      before = await serialOf(name(n));
      await change(n);
    },
    isDone: async (n) => {
      const { status } = await world.read(name(n));
      if (status?.certificateSerial === before || !(await isRunning(name(n)))) return false;
      return (await world.valid(status?.backendId)).length === 1;
    },
    check: async (n) => {
      await serialOf(name(n));
      await onlyValid(name(n));
      expect(await world.certificate(before)).toMatchObject({
        status: 'revoked',
        revocation_reason: 'superseded',
      });
    },
  };
}

test('backends.md 16.9: killed at each step of a renewal', async () => {
  const name = (n: number): string => `created-${n}`;
  const ttlSeconds = 2160 * 3600;
  const due = async (n: number): Promise<void> => {
    const { 'cert.pem': certificate = '' } = await world.files(name(n));
    const age = (Date.now() - Date.parse(new X509Certificate(certificate).validFrom)) / 1000 - 60;
    // Due for this one, and not for a while yet for the next.
    const renewBefore = `${ttlSeconds - Math.floor(age / 2)}s`;
    await world.change(name(n), { spec: { certificate: { renewBefore } } });
  };
  const story = replacing(name, due);
  const check = async (n: number): Promise<void> => {
    await world.change(name(n), { spec: { certificate: { renewBefore: null } } });
    await waitFor(() => isRunning(name(n)), { deadlineMs: 60_000 });
    await story.check(n);
  };
  await sweep('renewal', { ...story, check });
  expect(starts['renewal']).toBeGreaterThan(4);
});

test('backends.md 16.9: killed at each step of a re-key', async () => {
  const algorithms = ['ECDSA-P256', 'Ed25519'];
  const rekey = (n: number): Promise<void> =>
    world.change('created-1', { spec: { certificate: { keyAlgorithm: algorithms[n % 2] } } });
  await sweep(
    're-key',
    replacing(() => 'created-1', rekey),
  );
  expect(starts['re-key']).toBeGreaterThan(5);
});

test('backends.md 16.9: killed at each step of a revocation and of what ends it', async () => {
  await sweep('revocation', {
    begin: async () =>
      world.suite.call('PATCH', `/certs/${await serialOf('created-1')}/revoke`, {}),
    isDone: async () => (await world.read('created-1')).status?.phase === 'Failed',
    check: async () => {
      const { status } = await world.read('created-1');
      expect(await world.valid(status?.backendId)).toEqual([]);
      await world.annotate('created-1', `tee.glacis.dev/reissue=${status?.certificateSerial}`);
      await waitFor(() => isRunning('created-1'), { deadlineMs: 60_000 });
      await onlyValid('created-1');
    },
  });
});

test('backends.md 16.9: killed at each step of a termination and of the restart', async () => {
  const { status } = await world.read('created-1');
  const requests = `/backends/${status?.backendId}/terminations`;
  let asked = 0;
  await sweep('termination', {
    begin: () => world.suite.call('POST', `/backends/terminate/${status?.backendId}/1`, {}),
    isDone: async () => (await world.read('created-1')).status?.phase === 'Terminated',
    check: async (n) => {
      const { terminations } = await world.suite.call<{ terminations: { type: number }[] }>(
        'GET',
        requests,
      );
      expect(terminations.filter(({ type }) => type === 1)).toHaveLength(n);
      await world.annotate('created-1', `tee.glacis.dev/restart=${asked++}`);
      await waitFor(() => isRunning('created-1'), { deadlineMs: 60_000 });
    },
  });
  // Nobody was there to hear of this one, and the manager is back before anybody is.
  await operator.daemon.kill();
  await world.suite.call('POST', `/backends/terminate/${status?.backendId}/1`, {});
  await operator.start();
  await world.until('created-1', (manager) => manager.status?.phase === 'Terminated');
});

test('backends.md 16.9: killed at each step of a deletion', async () => {
  const name = (n: number): string => `created-${n}`;
  const backends = new Map<number, string>();
  await sweep('deletion', {
    begin: async (n) => {
      backends.set(n, (await world.read(name(n))).status?.backendId ?? '');
      await world.delete(name(n));
    },
    isDone: (n) => world.isGone(name(n)),
    check: async (n) => {
      const id = backends.get(n) ?? '';
      expect(await world.valid(id)).toEqual([]);
      await expect(world.suite.call('GET', `/backends/${id}`)).rejects.toThrow('404');
      expect(await count('backends', 'backend.delete', id)).toBe(1);
    },
  });
});

test('private keys are in their Secrets and nowhere else', async () => {
  const last = `created-${starts['creation']}`;
  await serialOf(last);
  expect(keys.size).toBeGreaterThan(5);
  // A line of the middle, as it stands in PEM, and as that is in base64 at each of its three offsets.
  const traces = [...keys].flatMap((pem) => {
    const line = pem.split('\n')[1] ?? '';
    const encoded = [0, 1, 2].map((pad) =>
      Buffer.from(' '.repeat(pad) + line)
        .toString('base64')
        .slice(4, 44),
    );
    return [line, ...encoded];
  });
  const holds = (text: string): boolean => traces.some((trace) => text.includes(trace));
  const values = await world.cluster.stored();
  const places = values
    .filter(({ value }) => holds(value.toString('latin1')))
    .map(({ key }) => key);
  expect(places).toContain(`/registry/secrets/default/${last}-manager-tls`);
  expect(places.filter((key) => !key.startsWith('/registry/secrets/'))).toEqual([]);
  expect(values.some(({ key }) => key.includes('/events/'))).toBe(true);
  expect(holds(await operator.log())).toBe(false);
  expect(holds(JSON.stringify(await world.cluster.auditEvents()))).toBe(false);
  expect(holds(await world.suite.log())).toBe(false);
});
