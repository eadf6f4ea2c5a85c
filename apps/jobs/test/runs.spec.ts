import { randomUUID } from 'node:crypto';
import { waitFor } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { ComputeProviders } from '../src/compute/compute-providers.js';
import type { Job } from '../src/jobs/job.entity.js';
import { JobsStore } from '../src/jobs/jobs.store.js';
import { ContentCheck } from '../src/runs/content-check.js';
import { planInForce } from '../src/runs/plan-in-force.js';
import { PartyKeys } from '../src/runs/party-keys.js';
import { Reaper } from '../src/runs/reaper.js';
import { Runs } from '../src/runs/runs.service.js';
import { Worker } from '../src/runs/worker.js';
import { hasEnded, RUNNING_STATES } from '../src/state.js';
import { ScriptedCompute, well } from './scripted-agents.js';
import { Stand } from './stand.js';

const digest = `sha256:${'0'.repeat(64)}`;
const placement = ['aws', 'gcp', 'azure'] as const;

let stand: Stand;
let compute: ScriptedCompute;

function scripted(of: Stand): ScriptedCompute {
  const made = new ScriptedCompute(wellToTheEnd);
  const byName = new Map(placement.map((name) => [name, made]));
  Object.assign(of.get(ComputeProviders), { byName });
  return made;
}

/** Also with an export. */
const wellToTheEnd: typeof well = (step, at) => {
  if (step !== 'export') return well(step, at);
  const body = {
    attempt: at.attempt,
    engine: digest,
    inputs: [],
    job_id: 'x',
    limits: {
      counted: 'rows',
      max_aggregates: 4,
      max_degree: 2,
      max_share_percent: 100,
      min_group_size: 5,
      min_owners: 1,
      raw_rows: 'none',
      residual: true,
    },
    party: at.party,
    plan_hash: digest,
    policies: [],
    query_hash: digest,
    result_sha256: digest,
    slots: 1,
  };
  const signed = { party: at.party, alg: 'ES256', chain: [], body, signature: 'x' };
  return {
    status: 'done',
    result: { bytes: 1, sha256: digest, sealed: false, receipt: signed },
  };
};

beforeAll(async () => {
  stand = await Stand.start({ settings: { runsParallel: '4' } });
  compute = scripted(stand);
});
afterAll(() => stand.stop());
beforeEach(() => {
  compute.script = wellToTheEnd;
  compute.mostAtOnce = 0;
});

/** A job as submit finds it. */
async function made(of: Stand = stand): Promise<Job> {
  const id = randomUUID();
  const store = of.get(Store);
  await store.query(
    `INSERT INTO jobs (id, tenant, name, sql, query_hash, schema, schema_hash, placement, execution, isolation,
       min_group_size, min_owners, max_share_percent, deadline_seconds, salt, options, limits, policy_needed, warnings,
       state, attempt, progress, created_at, updated_at)
     VALUES ($1, 'default', 'x', $2, $2, '{}', $2, $3, 'local', 'process', 5, 1, 100, 600, '', '{}', '{}', '{}', '[]',
       'created', 1, 0, now(), now())`,
    [id, digest, JSON.stringify(placement)],
  );
  const facts = { job_id: id, attempt: 1, query_sql: digest };
  await store.query(
    `INSERT INTO plans (job, attempt, version, plan, hash, created_at) VALUES ($1, 1, 2, $2, $3, now())`,
    [id, JSON.stringify({ facts }), digest],
  );
  return known(id, of);
}

async function known(id: string, of: Stand = stand): Promise<Job> {
  const job = await of.get(JobsStore).find(id);
  if (job === undefined) throw new Error('no such job');
  return job;
}

const submitted = async (of: Stand = stand): Promise<Job> => begun(await made(of), of);

/** In one transaction, as in the service: a worker claims whatever is submitted. */
async function begun({ id }: Job, of: Stand = stand): Promise<Job> {
  await of.get(Store).transaction(async (tx) => {
    await tx.query(`UPDATE jobs SET state = 'submitted', submitted_at = now() WHERE id = $1`, [id]);
    await of.get(Runs).begin(tx, { id, attempt: 1 });
  });
  return known(id, of);
}

const ended = ({ id }: Job, of: Stand = stand): Promise<Job> =>
  waitFor(
    async () => {
      const job = await known(id, of);
      return hasEnded(job.state) && job;
    },
    { deadlineMs: 120_000, what: 'the end of a job' },
  );

/** Where it was, in its order, as its followers are told. */
async function toldOf({ id }: Job): Promise<{ state: string; progress: number }[]> {
  const rows = await stand
    .get(Store)
    .query<{ data: { state: string; progress: number } }>(
      `SELECT data FROM job_events WHERE job = $1 AND event IN ('state', 'end') ORDER BY seq`,
      [id],
    );
  return rows.map(({ data }) => data);
}

const statesOf = async (job: Job): Promise<string[]> =>
  (await toldOf(job)).map(({ state }) => state);

const none = (): Promise<true> =>
  waitFor(() => compute.running.size === 0, {
    deadlineMs: 60_000,
    what: 'the end of all agents',
  }) as Promise<true>;

describe('jobs.md 9: an attempt', () => {
  it('goes through every state of section 4 to success, and leaves no agent', async () => {
    const job = await submitted();
    expect(await ended(job)).toMatchObject({ state: 'success', teardown: 'done', failure: null });
    expect(await statesOf(job)).toEqual([...RUNNING_STATES.slice(1), 'success']);
    const way = (await toldOf(job)).map(({ progress }) => progress);
    expect(way).toEqual(way.toSorted((a, b) => a - b));
    expect([way[0], way.at(-1)]).toEqual([0, 1]);
    await none();
    expect(compute.mostAtOnce).toBe(1);
  });

  it.each([
    ['inputs', 'policy', 'policy_violation'],
    ['inputs', 'data', 'bad_cell'],
    ['run', 'protocol', 'protocol_desync'],
    ['run', 'engine', 'broken'],
  ] as const)(
    'ends in fail after %s of class %s, which is not tried again',
    async (step, of, code) => {
      compute.script = (at, more) =>
        at === step && more.party === 1
          ? { status: 'failed', failure: { class: of, code, message: 'as the script says' } }
          : wellToTheEnd(at, more);
      const started = compute.started;
      const job = await ended(await submitted());
      expect(job).toMatchObject({ state: 'fail', failure: { class: of, code } });
      expect(compute.started - started).toBe(3);
      await none();
    },
  );

  it('tries again with new agents after a party is gone', async () => {
    let deaths = 0;
    compute.script = (step, more) =>
      step === 'run' && more.party === 2 && deaths++ === 0 ? 'die' : wellToTheEnd(step, more);
    const job = await ended(await submitted());
    expect(job.state).toBe('success');
    expect(deaths).toBe(2);
    expect(compute.mostAtOnce).toBe(1);
  });

  it('jobs.md 9: create_vms waits for machines that take their time', async () => {
    compute.script = wellToTheEnd;
    compute.startingLooks = 7;
    const started = compute.started;
    expect((await ended(await submitted())).state).toBe('success');
    expect(compute.startingLooks).toBe(0);
    expect(compute.started - started).toBe(3);
  });

  it('jobs.md 13: a party that dies each time ends the job in class transient', async () => {
    compute.script = (step, more) =>
      step === 'run' && more.party === 0 ? 'die' : wellToTheEnd(step, more);
    const job = await ended(await submitted());
    expect(job).toMatchObject({
      state: 'fail',
      failure: { class: 'transient', code: 'lost_party', step: 'run' },
    });
    await none();
  });

  it('jobs.md 13: a peer with another plan ends the job in class protocol', async () => {
    const other = `sha256:${'1'.repeat(64)}`;
    compute.script = async (step, more) => {
      const answer = await wellToTheEnd(step, more);
      if (step !== 'deploy' || more.party !== 1 || typeof answer === 'string') return answer;
      return { ...answer, result: { ...(answer.result as object), plan_hash: other } };
    };
    const job = await ended(await submitted());
    expect(job.failure).toMatchObject({ class: 'protocol', code: 'plan_mismatch', step: 'deploy' });
  });

  it('ends in timeout once the deadline has passed', async () => {
    compute.script = (step, more) => (step === 'run' ? 'hang' : wellToTheEnd(step, more));
    const job = await submitted();
    await stand
      .get(Store)
      .query(`UPDATE jobs SET deadline_at = now() + interval '1 second' WHERE id = $1`, [job.id]);
    expect((await ended(job)).failure).toMatchObject({ class: 'timeout' });
    await none();
  });

  it('is cancelled while it runs, and never ends in success then', async () => {
    let hangs = 0;
    compute.script = (step, more) => {
      if (step !== 'run') return wellToTheEnd(step, more);
      hangs += 1;
      return 'hang';
    };
    const { id } = await submitted();
    await waitFor(() => hangs === 3, { deadlineMs: 60_000 });
    const running = await known(id);
    const by = { actor: 'analyst', reason: 'enough' };
    await stand.get(Store).transaction((tx) => stand.get(Runs).cancel(tx, running, by));
    expect(await ended(running)).toMatchObject({ state: 'cancelled', teardown: 'done' });
    await none();
  });

  it('runs again after a retry, in the next attempt', async () => {
    let fails = true;
    compute.script = (step, more) =>
      step === 'run' && fails
        ? { status: 'failed', failure: { class: 'engine', code: 'x', message: 'x' } }
        : wellToTheEnd(step, more);
    const failed = await ended(await submitted());
    fails = false;
    const by = { actor: 'analyst', from: 'failed' } as const;
    await stand.get(Store).transaction((tx) => stand.get(Runs).retry(tx, failed, by));
    expect(await ended(failed)).toMatchObject({ state: 'success', attempt: 2, failure: null });
  });
});

describe('jobs.md 8 and 10.2: agents before the run', () => {
  it('make keys for a job that is not there yet, and end', async () => {
    const keys = await stand
      .get(PartyKeys)
      .make({ id: randomUUID(), tenant: 'default', placement: [...placement] }, [0, 1, 2]);
    expect(keys.map(({ party }) => party)).toEqual([0, 1, 2]);
    expect(new Set(keys.flatMap(({ sealKey, macKey }) => [sealKey, macKey])).size).toBe(6);
    await none();
  });

  it('check data at submit, and go on to the run without a new start', async () => {
    const job = await made();
    const started = compute.started;
    const plan = await planInForce(stand.get(Store), job);
    expect(await stand.get(ContentCheck).run(job, plan)).toEqual([]);
    expect((await ended(await begun(job))).state).toBe('success');
    expect(compute.started - started).toBe(3);
  });

  it('tell what all of them have found, and end', async () => {
    compute.script = (step, more) =>
      step === 'inputs'
        ? {
            status: 'failed',
            failure: { class: 'data', code: 'bad_cell', message: 'x' },
            findings: [{ owner: 'a', party: more.party, code: 'bad_cell', message: 'x' }],
          }
        : wellToTheEnd(step, more);
    const job = await made();
    const plan = await planInForce(stand.get(Store), job);
    const findings = await stand.get(ContentCheck).run(job, plan);
    expect(new Set(findings.map(({ party }) => party))).toEqual(new Set([0, 1, 2]));
    await none();
  });
});

describe('jobs.md 9: replicas, queue and reaper', () => {
  it('two replicas share the queue: each job runs once, with one instance per party', async () => {
    const second = await Stand.start({
      database: stand.database,
      identity: stand.identity,
      settings: { runsParallel: '4' },
    });
    try {
      const other = scripted(second);
      // The first has room for four of eight: the others are for the second.
      compute.script = async (step, at) => {
        if (step === 'run') await waitFor(() => other.started > 0);
        return wellToTheEnd(step, at);
      };
      const started = compute.started + other.started;
      const jobs = await Promise.all(Array.from({ length: 8 }, () => submitted()));
      const ends = await Promise.all(jobs.map((job) => ended(job)));
      expect(ends.map(({ state }) => state)).toEqual(jobs.map(() => 'success'));
      expect(compute.started + other.started - started).toBe(24);
      expect(other.started).toBeGreaterThan(0);
    } finally {
      await second.stop();
    }
  });

  it('another replica takes over what a stopped one had begun', async () => {
    const first = await Stand.start({ database: stand.database, identity: stand.identity });
    const own = scripted(first);
    own.script = (step, more) => (step === 'run' ? 'hang' : wellToTheEnd(step, more));
    const job = await submitted(first);
    await waitFor(() => own.running.size === 3, { deadlineMs: 60_000 });
    await first.stop();
    expect((await ended(job)).state).toBe('success');
  });

  it('one that has lost its lease leaves the job and its agents to the next, also where a step fails', async () => {
    const store = stand.get(Store);
    let runs = 0;
    compute.script = async (step, at) => {
      if (step !== 'run' || ++runs > 3) return wellToTheEnd(step, at);
      if (at.party !== 1) return 'hang';
      await store.query(
        `UPDATE jobs SET lease_owner = 'other', lease_token = $2, lease_until = now() + interval '1 hour'
         WHERE id = $1`,
        [id, randomUUID()],
      );
      return 'die';
    };
    const job = await made();
    const { id } = job;
    await begun(job);
    const worker = stand.get(Worker);
    await waitFor(() => runs === 3 && worker.running === 0, { what: 'the job to be let go' });
    // The one that died is gone by itself.
    expect(compute.running.size).toBe(2);
    const failed = `SELECT 1 FROM job_events WHERE job = $1 AND data->>'status' = 'failed'`;
    expect(await store.query(failed, [id])).toEqual([]);
    expect((await known(id)).state).toBe('running');
    await store.query('UPDATE jobs SET lease_until = now() WHERE id = $1', [id]);
    expect((await ended(job)).state).toBe('success');
    await none();
  });

  it('the reaper ends an instance without an agent, and agents without a use', async () => {
    const tags = { job: randomUUID(), party: 0, attempt: 1, expires: new Date(Date.now() + 1e6) };
    compute.running.set('stray', {
      instance: { ref: { run: 'stray' }, tags, runId: 'stray', state: 'up' },
      control: new AbortController(),
    });
    await stand.get(Reaper).run();
    expect(compute.running.has('stray')).toBe(false);
  });
});
