import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unseal } from '@glacis/shares';
import { TestJob, type TestJobOptions } from '../../test/jobs.js';

type Policy = TestJobOptions['owners'][0]['policy'];

const schema: TestJobOptions['schema'] = {
  City: { type: 'CATEGORY', categories: ['Bergen', 'Oslo'] },
  Age: 'years',
};

/** Rows of one owner: as many of each city as are asked for, ages upwards from one. */
const csv = (bergen: number, oslo: number, age: number): string =>
  [
    'City,Age',
    ...Array.from({ length: bergen }, (_each, i) => `Bergen,${age + i}`),
    ...Array.from({ length: oslo }, (_each, i) => `Oslo,${age + i}`),
  ].join('\n');

const granted: NonNullable<Policy> = {
  default: 'deny',
  columns: { City: { group: true }, Age: { aggregate: ['SUM'], filter: true } },
};

const asked: TestJobOptions = {
  sql: 'SELECT City, COUNT(*) AS n, SUM(Age) AS years FROM people WHERE Age >= 20 GROUP BY City',
  schema,
  owners: [
    {
      name: 'north',
      csv: csv(6, 7, 20),
      policy: granted,
    },
    { name: 'south', csv: csv(7, 8, 18), policy: null },
  ],
};

const jobs: TestJob[] = [];
async function start(changes: Partial<TestJobOptions> = {}): Promise<TestJob> {
  const job = await TestJob.start({ ...asked, ...changes });
  jobs.push(job);
  await job.upload();
  return job;
}
afterEach(() => Promise.all(jobs.splice(0).map((job) => job.close())));

test.each([true, false])(
  'three agents take a job from keys to a result (sealed: %s)',
  async (sealed) => {
    const job = await start({ sealed });
    const prepared = await job.prepare();
    expect(prepared.map(({ status }) => status)).toEqual(['done', 'done', 'done']);
    const { rows } = await job.open();
    const sum = (from: number, count: number): number => count * from + (count * (count - 1)) / 2;
    expect(
      new Map(rows.map(([city, ...rest]) => [city?.text, rest.map(({ text }) => text)])),
    ).toEqual(
      new Map([
        ['Bergen', ['11', String(sum(20, 6) + sum(20, 5))]],
        ['Oslo', ['13', String(sum(20, 7) + sum(20, 6))]],
      ]),
    );
  },
);

test('jobs.md 10.2: a transfer that breaks begins again from byte 0', async () => {
  const job = await start();
  for (const url of ['/objects/0', '/objects/1']) job.coordinator.broken.set(url, 2);
  expect((await job.prepare()).map(({ status }) => status)).toEqual(['done', 'done', 'done']);
});

test('jobs.md 10.2: an instruction that comes again is not done again', async () => {
  const job = await start();
  await job.prepare();
  const [agent] = job.coordinator.agents;
  const first = agent!.reports.find(({ result }) => result && 'seal_key' in (result as object));
  const again = await job.coordinator.repeat(0, first!.instruction!, 'keys');
  expect(again).toMatchObject({ status: 'done', result: first!.result });
});

test('steps out of their order, and another job, are refused', async () => {
  const job = await start();
  const { coordinator, facts } = job;
  for (const step of ['inputs', 'run', 'export'] as const)
    expect(await coordinator.instruct(0, step, {})).toMatchObject({
      failure: { class: 'protocol', code: 'out_of_order' },
    });
  const other = { facts: { ...facts, job_id: 'another' } };
  expect(await coordinator.instruct(0, 'deploy', other)).toMatchObject({
    failure: { class: 'protocol', code: 'another_job' },
  });
  const refused = { facts: { ...facts, options: { ...facts.options, maxAggregates: 0 } } };
  expect(await coordinator.instruct(0, 'deploy', refused)).toMatchObject({
    failure: { class: 'policy', code: 'too_many_aggregates' },
  });
});

describe('jobs.md 8: stage C', () => {
  const findings = async (job: TestJob): Promise<unknown[]> =>
    (await job.prepare()).map(({ status, findings: [first] = [] }) => first ?? status);

  test('rows swapped in one file, and files of two sets, are found by the copies', async () => {
    const job = await start();
    await job.replace(1, 'south', (lines) => [lines[0]!, lines[2]!, lines[1]!, ...lines.slice(3)]);
    const found = await findings(job);
    const mismatch = { owner: 'south', code: 'share_mismatch' };
    expect(found[0]).toMatchObject({ ...mismatch, party: 0, column: 'City' });
    expect(found[1]).toMatchObject({ ...mismatch, party: 1 });
    expect(found[2]).toBe('done');
  });

  test.each<[string, object, (lines: string[]) => string[]]>([
    [
      'a cell',
      { code: 'bad_cell', row: 2, column: 'City_0' },
      ([head, row, , ...rest]) => [head!, row!, '1.5,0,0,0,0,0,0,0', ...rest],
    ],
    [
      'the header',
      { code: 'header_mismatch' },
      ([head, ...rest]) => [head!.replace('Age_0', 'Age_9'), ...rest],
    ],
    [
      'an empty line',
      { code: 'bad_file' },
      (lines) => [...lines.slice(0, 2), '', ...lines.slice(2)],
    ],
    ['a row too few', { code: 'row_count_mismatch' }, (lines) => lines.slice(0, -1)],
  ])('%s', async (_name, finding, change) => {
    const job = await start();
    await job.replace(2, 'north', change);
    expect((await findings(job))[2]).toMatchObject({ owner: 'north', party: 2, ...finding });
  });

  test('a digest other than declared, and a seal for another party', async () => {
    const job = await start();
    await job.replace(0, 'north', (lines) => lines, { sha256: `sha256:${'0'.repeat(64)}` });
    await job.replace(1, 'north', (lines) => lines, { sealFor: 2 });
    const found = await findings(job);
    expect(found[0]).toMatchObject({ owner: 'north', party: 0, code: 'digest_mismatch' });
    expect(found[1]).toMatchObject({ owner: 'north', party: 1, code: 'bad_file' });
  });
});

describe('jobs.md 8.1: owners decide', () => {
  test.each([
    ['a consent that was not signed', { consent_raw_rows: true }],
    ['a policy that was widened', { policy: { default: 'allow' as const, extremes: true } }],
  ])('%s ends the job at every agent, and no share is read', async (_name, forged) => {
    const job = await start();
    for (const agent of job.coordinator.agents) {
      const policies = agent.inputs.policies.map((signed) => ({
        ...signed,
        document: { ...signed.document, ...forged },
      }));
      agent.inputs = { ...agent.inputs, policies };
    }
    for (const { failure, findings } of await job.prepare()) {
      expect(failure).toMatchObject({ class: 'policy', code: 'policy_violation' });
      expect(findings).toMatchObject([{ owner: 'north', use: 'signature' }]);
    }
    expect(job.coordinator.heard.filter((each) => each.startsWith('/objects/'))).toEqual([]);
  });

  test('other limits after the policies were checked, and inputs that were not compared', async () => {
    const job = await start();
    const { coordinator, facts } = job;
    await coordinator.instruct(0, 'deploy', { facts });
    expect(await coordinator.instruct(0, 'inputs', {})).toMatchObject({ status: 'done' });
    const early = await coordinator.instruct(0, 'run', {});
    expect(early.failure).toMatchObject({ class: 'protocol', code: 'out_of_order' });
    await job.prepare();
    const looser = { ...facts, options: { ...facts.options, residual: false } };
    await coordinator.instruct(0, 'deploy', { facts: looser });
    const late = await coordinator.instruct(0, 'run', {});
    expect(late.failure).toMatchObject({ class: 'protocol', code: 'out_of_order' });
    const again = await coordinator.instruct(0, 'inputs', {});
    expect(again.findings).toMatchObject([{ owner: 'north', use: 'residual' }]);
  });

  test('one agent that is not deceived is enough: the others do not run without it', async () => {
    const job = await start();
    const [agent] = job.coordinator.agents;
    const { policies: _hidden, owner_keys: _keys, ...rest } = agent!.inputs;
    agent!.inputs = { ...rest, policies: [], owner_keys: {} };
    expect((await job.prepare()).map(({ status }) => status)).toEqual(['done', 'done', 'done']);
    const ran = await job.coordinator.instructAll('run', () => ({}));
    expect(ran.map(({ failure }) => failure?.class)).not.toContain(undefined);
    expect(ran.map(({ failure }) => failure?.code)).toContain('hello_mismatch');
  });
});

test('jobs.md 1.1: the coordinator, with all that it holds, reads no in-bucket', async () => {
  const job = await start();
  await job.prepare();
  await job.open();
  const { agents, heard } = job.coordinator;
  const everything = [...heard, JSON.stringify(agents), JSON.stringify(job.facts)].join('\n');
  const kept = await Promise.all(
    job.folders.flatMap((folder) =>
      ['seal.key', 'mac.key'].map((file) => readFile(join(folder, file), 'utf8')),
    ),
  );
  for (const key of kept) expect(everything.includes(key)).toBe(false);
  // Nor does it hear of a share; short cells may stand in any digest.
  const cells = job.contents.flatMap((text) => text.split(/[,\n]/));
  const shares = cells.filter((cell) => cell.length >= 10);
  expect(shares.length).toBeGreaterThan(100);
  expect(shares.filter((cell) => everything.includes(cell))).toEqual([]);
  const held = [...new Set(everything.match(/(?<![\w-])[\w-]{43}(?![\w-])/g))];
  expect(held.length).toBeGreaterThan(6);
  const opens = async (key: string, object: Uint8Array): Promise<boolean> => {
    try {
      for await (const _part of unseal(key)([object]));
      return true;
    } catch {
      return false;
    }
  };
  for (const { objects, party } of agents)
    for (const object of objects.values()) {
      for (const key of held) expect(await opens(key, object)).toBe(false);
      // Of all keys that there are, one party's own opens its objects.
      const openers = await Promise.all(kept.map((key) => opens(key, object)));
      expect(openers.map((yes, i) => (yes ? i : -1)).filter((i) => i >= 0)).toEqual([2 * party]);
    }
});
