import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '@glacis/runtime';
import { withConnection } from '@glacis/store';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { Child } from '../src/demo/child.js';
import { columnsOf, filesOf } from './kept-places.js';
import { keptIn, leaksIn } from './marked.js';
import { PlantedJobs, type PlantedJob } from './planted-jobs.js';
import {
  freePorts,
  program,
  startLimitMs,
  startSuite,
  type EmbeddedSuite,
} from './running-suite.js';

let database: TestDatabase;
let suite: EmbeddedSuite;
let restarted: Child;
let planted: PlantedJobs;
/** Everything that was printed, answered and kept. */
const places = new Map<string, string>();

const settings = (): Record<string, string> => ({
  ...freePorts,
  DATABASE_URL: database.url,
  GLACIS_LOG_LEVEL: 'debug',
});

const rows = <T>(sql: string, params: unknown[] = []): Promise<T[]> =>
  withConnection(database.url, (connection) => connection.query<T>(sql, params));

async function reached({ id }: PlantedJob, states: RegExp): Promise<string> {
  const of = async (): Promise<string | false> => {
    const [row] = await rows<{ state: string }>('SELECT state FROM jobs.jobs WHERE id = $1', [id]);
    return row !== undefined && states.test(row.state) && row.state;
  };
  return waitFor(of, { what: `a job in ${states}`, deadlineMs: 240_000 });
}

const submit = ({ id }: PlantedJob): Promise<string> =>
  planted.ask('POST', '/submit_job', { body: { job_id: id } });

/** Three owners; while they compute a party and then the whole suite are killed. */
async function killedJob(): Promise<[PlantedJob, owner: string | undefined]> {
  const job = await planted.create();
  await planted.shareSealed(job, 'north');
  const { links, token } = await planted.shareByHand(job, 'south');
  await planted.shareByCommand(job, 'west');
  await wrongRequests(job, links);
  expect(await submit(job)).toContain('success');
  const parties = planted.catchParties(job);
  await reached(job, /^(running|exporting|terminating|success)$/);
  kill(parties[1]!);
  suite.process.kill();
  await suite.process.exited;
  return [job, token];
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // A quick job has ended, and its parties with it.
  }
}

/** Data of one owner that is refused at submit, and then in the run. */
async function failingJob(): Promise<void> {
  const job = await planted.create();
  const { token } = await planted.shareByHand(job, 'east', 'bad cell');
  expect(await submit(job)).toContain('Data validation failed');
  await planted.shareByHand(job, 'east', 'out of range');
  expect(await submit(job)).toContain('success');
  expect(await reached(job, /^(success|fail)$/)).toBe('fail');
  await readAll('failing', job, token);
}

/** What strangers and the clumsy are told; each of them has a secret in its hand. */
async function wrongRequests({ id }: PlantedJob, [link = '']: string[]): Promise<void> {
  const [claim, token] = ['claim', 'token of an owner'].map((kind) => planted.one(kind));
  const cell = planted.one('cell');
  const path = link.slice(planted.door.length);
  const wrong: [string, string, Parameters<PlantedJobs['ask']>[2]?][] = [
    ['POST', '/jobs/claims', { body: { claim } }],
    ['GET', `/ui/jobs/${id}/share?claim=${claim}`],
    ['GET', `/jobs?cursor=${token}`, { token }],
    ['GET', `/jobs/${id}/owners`, { token }],
    ['GET', `/jobs/${id}/events?after=${token}`, { token }],
    ['DELETE', `/nothing?token=${token}`],
    ['POST', '/create_job', { body: `{"query_sql":"${cell}", "token":"${token}",` }],
    ['POST', '/create_job', { body: { schema: { a: cell }, cloud_providers: cell } }],
    ['PUT', path, { body: cell }],
    ['GET', path],
    ['PUT', path.replace(/.$/, (last) => (last === '0' ? '1' : '0')), { body: cell }],
  ];
  const answers = wrong.map(([method, to, more]) => planted.ask(method, to, more));
  planted.said.set('problems', (await Promise.all(answers)).join('\n'));
}

async function readAll(
  name: string,
  { id, token: analyst }: PlantedJob,
  owner: string | undefined,
): Promise<void> {
  const of = `of the ${name} job`;
  for (const [who, token] of Object.entries({ analyst, owner, admin: suite.token }))
    for (const what of ['job', 'plan', 'events', 'validation', 'logs']) {
      const path = what === 'job' ? `/jobs/${id}` : `/jobs/${id}/${what}`;
      places.set(`${who} reads ${what} ${of}`, await planted.ask('GET', path, { token }));
    }
  const asked = { token: analyst, headers: { accept: 'text/event-stream' } };
  const stream = await planted.ask('GET', `/jobs/${id}/events`, asked);
  expect(stream).toContain('event: end');
  places.set(`stream ${of}`, stream);
}

beforeAll(async () => {
  database = await testDatabase();
  suite = await startSuite(settings());
  planted = new PlantedJobs(suite.door, suite.dataDir);
  planted.plant('token of the administrator', [suite.token], /^file admin\.token$/);
  planted.plant('key-encryption key', [readFileSync(join(suite.dataDir, 'kek'))], /^file kek$/);
  const [job, owner] = await killedJob();
  restarted = Child.start(program, { ...settings(), GLACIS_DATA_DIR: suite.dataDir });
  planted.door = (await restarted.line(/door (http:\S+?),/, startLimitMs))[1]!;
  // What the dead process held would be its own for half a minute.
  await rows('UPDATE jobs.jobs SET lease_until = now()');
  await failingJob();
  expect(await reached(job, /^(success|fail)$/)).toBe('success');
  await readAll('killed', job, owner);
  const { token } = suite;
  places.set('metrics', await planted.ask('GET', '/metrics', { token }));
  places.set('audit trail', await planted.ask('GET', '/audit/jobs', { token }));
  const kept = [planted.said, await columnsOf(database.url), filesOf(suite.dataDir)];
  for (const [place, text] of kept.flatMap((each) => [...each])) places.set(place, text);
  places.set('printed', [...suite.process.printed, ...restarted.printed].join('\n'));
}, 600_000);
afterAll(async () => {
  await restarted?.stop();
  await suite?.close();
  await database?.drop();
});

describe('jobs.md 12: jobs that run, are killed and fail, at the level debug', () => {
  it('no cell, share, key, token, claim, link or literal lies outside its place', () => {
    expect(leaksIn(places, planted.secrets)).toEqual([]);
  });

  it('what has a place is found there', () => {
    const placed = planted.secrets.filter(({ at }) => at !== undefined).map(({ kind }) => kind);
    const found = keptIn(places, planted.secrets).map((finding) => finding.split(': ')[1]);
    expect(new Set(found)).toEqual(new Set(placed));
  });

  it('nothing has the shape of a token, a signed link, a claim or a private key', () => {
    const shapes =
      /\bey[\w-]{8,}\.ey[\w-]+\.[\w-]+|X-Glacis-Signature=|[#?&]claim=|PRIVATE KEY-----/;
    const shaped = [...places].filter(([, text]) => shapes.test(text)).map(([place]) => place);
    expect(shaped).toEqual(['file admin.token']);
  });
});
