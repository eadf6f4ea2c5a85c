// `npm run faults -- jobs [seed] [points] [part of a name]`: the jobs service killed -9 in every state of a job, its parties killed or
// stopped in every step, and what else section 13 of jobs.md names. After each point: the outcome of section 13, no process,
// and no bucket once the job is deleted. Prints a line per point; exits 1 where something else came out.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProcesses } from '@glacis/testbed';
import { create, ended, open, prepare, put, submit } from '../support/job-client.mjs';
import { rowsOf, startService, withPlace } from '../support/job-service.mjs';
import { withOtherPlan } from './other-plan.mjs';

const [, seed = '1', wanted = '1000', part = ''] = process.argv.slice(2);
const states = [
  'creating_vms',
  'auth_setup',
  'deploying',
  'inputs_preparing',
  'running',
  'exporting',
  'terminating',
];
/** States in which the agents of a job are at work; those of a kept crew pass the first ones at once. */
const steps = ['validating', 'running', 'exporting'];

const points = [
  { name: 'service in create', run: killInCreate },
  { name: 'service in validating', run: (place) => killService(place, 'validating') },
  { name: 'service in submitted', run: (place) => killService(place, 'submitted') },
  ...states.map((state) => ({
    name: `service in ${state}`,
    run: (place) => killService(place, state),
  })),
  ...steps.flatMap((step) =>
    [0, 1, 2].map((party) => ({
      name: `party ${party} in ${step}`,
      run: (place) => signalParty(place, step, party, 'SIGKILL'),
    })),
  ),
  { name: 'stalled party in running', run: (place) => signalParty(place, 'running', 1, 'SIGSTOP') },
  { name: 'peer with another plan', run: otherPlan },
  { name: 'peer with another plan, which the coordinator hides', run: hiddenPlan },
  { name: 'late upload', run: lateUpload },
  { name: '20 parallel submits', run: parallelSubmits },
];

/** Numbers of 0 to 1 that the seed decides (mulberry32). */
function randomOf(text) {
  let state = Number(text) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function until(what, probe, limitMs = 240_000) {
  for (const end = performance.now() + limitMs; performance.now() < end; await sleep(5)) {
    const value = await probe();
    if (value) return value;
  }
  throw new Error(`waited for ${what}`);
}

async function stateOf(place, { id }) {
  const [row] = await rowsOf(place, 'SELECT state, failure FROM jobs WHERE id = $1', [id]);
  return row ?? { state: 'none' };
}

const after = ['created', ...'validating submitted'.split(' '), ...states, 'success', 'fail'];

/** True once the job is in the state, or has passed it. */
const reached = async (place, job, state) => {
  const now = (await stateOf(place, job)).state;
  return after.indexOf(now) >= after.indexOf(state) && now;
};

async function kill(service) {
  service.child.kill('SIGKILL');
  await service.exited;
}

async function killInCreate(place) {
  const making = create(place.service).catch(() => undefined);
  await until('agents', async () => (await parties(place)).length > 0);
  await kill(place.service);
  await making;
  place.service = await startService(place, env);
  return 'no job';
}

async function killService(place, state) {
  const job = await prepare(place.service);
  const submitting = submit(place.service, job).catch(() => undefined);
  const seen = await until(state, () => reached(place, job, state));
  await kill(place.service);
  const answer = await submitting;
  place.service = await startService(place, env);
  const back = await until('an end', async () => {
    const now = (await stateOf(place, job)).state;
    return ['created', 'success', 'fail'].includes(now) && now;
  });
  if (back === 'created') {
    if (answer?.status === 200) throw new Error('an accepted submit was lost');
    await submit(place.service, job);
  }
  return `killed in ${seen}, ${await outcome(place, job)}`;
}

async function signalParty(place, state, party, signal) {
  const job = await prepare(place.service);
  const submitting = submit(place.service, job);
  await until(state, () => reached(place, job, state));
  const pid = await until('the party', async () => pidOf(place, job, party)).catch(() => 0);
  if (pid > 0) process.kill(pid, signal);
  const answer = await submitting;
  if (answer.status !== 200) {
    const again = await submit(place.service, job);
    if (again.status !== 200) throw new Error(`submit: ${JSON.stringify(again)}`);
  }
  return outcome(place, job);
}

/** The coordinator compares what the parties have compiled, and submit is refused. */
async function otherPlan(place) {
  const job = await prepare(place.service);
  const answer = await withOtherPlan(place, false, () => submit(place.service, job));
  const [{ findings }] = await rowsOf(
    place,
    'SELECT findings FROM validations WHERE job = $1 ORDER BY number DESC LIMIT 1',
    [job.id],
  );
  const codes = findings.map(({ code }) => code).join();
  if (answer.status !== 500 || codes !== 'plan_mismatch')
    throw new Error(`submit: ${answer.status}, ${codes}`);
  await submit(place.service, job);
  return `submit refused (${codes}), then ${await outcome(place, job)}`;
}

/** The parties compare their plans before any share moves. */
async function hiddenPlan(place) {
  const job = await prepare(place.service);
  await withOtherPlan(place, true, async () => {
    await submit(place.service, job);
    await ended(place.service, job, 300_000);
  });
  const { state, failure } = await stateOf(place, job);
  if (state !== 'fail' || failure?.class !== 'protocol')
    throw new Error(`ends in ${JSON.stringify({ state, failure })}`);
  return `Fail (${failure.class} ${failure.code})`;
}

async function lateUpload(place) {
  const job = await prepare(place.service);
  await submit(place.service, job);
  const statuses = await Promise.all(job.links.map((link) => put(link, 'late')));
  if (statuses.some((status) => status < 400)) throw new Error(`PUT: ${statuses.join()}`);
  return `PUT ${statuses[0]}, ${await outcome(place, job)}`;
}

async function parallelSubmits(place) {
  const job = await prepare(place.service);
  const answers = await Promise.all(Array.from({ length: 20 }, () => submit(place.service, job)));
  const good = answers.filter(({ status }) => status === 200).length;
  const conflicts = answers.filter(({ status }) => status === 409).length;
  if (good !== 1 || conflicts !== 19) throw new Error(`${good} times 200, ${conflicts} times 409`);
  return outcome(place, job);
}

/** How the job ends; a result that is there is the right one. */
async function outcome(place, job) {
  const body = await ended(place.service, job, 300_000);
  if (body.status === 'Success') {
    const rows = await open(body.result);
    const n = rows.reduce((sum, row) => sum + row.n, 0);
    if (rows.length !== 3 || n !== 102) throw new Error(`wrong result ${JSON.stringify(rows)}`);
    return 'Success';
  }
  const { failure } = await stateOf(place, job);
  if (!['transient', 'infra'].includes(failure?.class))
    throw new Error(`ends in ${JSON.stringify(failure)}`);
  return `Fail (${failure.class} ${failure.code})`;
}

async function pidOf(place, { id }, party) {
  const file = join(place.folder, 'jobs', 'parties', id, `${party}.json`);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text && JSON.parse(text).pid;
}

/** Party processes of this place. */
async function parties(place) {
  return findProcesses(join(place.folder, 'jobs', 'parties'));
}

/** Nothing runs any more, and nothing is left of the jobs once they are deleted. */
async function checkNothingLeft(place) {
  await until('the end of all parties', async () => (await parties(place)).length === 0, 30_000);
  await rowsOf(place, 'DELETE FROM jobs');
  await kill(place.service);
  place.service = await startService(place, { ...env, GLACIS_JOBS_ORPHAN_GRACE: '0s' });
  const folders = async () =>
    Promise.all(
      ['buckets', 'parties'].map((name) =>
        readdir(join(place.folder, 'jobs', name)).catch(() => []),
      ),
    );
  await until('the end of all buckets', async () => (await folders()).flat().length === 0, 180_000);
  const [{ count }] = await rowsOf(place, 'SELECT count(*) FROM agents WHERE ended_at IS NULL');
  if (count !== '0') throw new Error(`${Number(count)} agents are not ended`);
}

const env = {};
await withPlace(async (place) => {
  place.service = await startService(place, env);
  const random = randomOf(seed);
  const order = points
    .filter(({ name }) => name.includes(part))
    .map((point) => ({ point, at: random() }))
    .toSorted((a, b) => a.at - b.at);
  const chosen = order.slice(0, Number(wanted)).map(({ point }) => point);
  let failed = 0;
  for (const { name, run } of chosen) {
    const began = performance.now();
    let text;
    try {
      text = await run(place);
      await until('no party', async () => (await parties(place)).length === 0, 30_000);
    } catch (error) {
      failed += 1;
      text = `BREACH ${error.message}`;
    }
    console.log(`${name}: ${text}, ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  await checkNothingLeft(place).catch((error) => {
    failed += 1;
    console.log(`BREACH ${error.message}`);
  });
  console.log(`points ${chosen.length} count`);
  console.log(`breaches ${failed} count`);
  process.exitCode = failed === 0 ? 0 : 1;
});
