// Whole jobs whose three parties are pods on a real node, each in a namespace of its own, while service and buckets are here.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '@glacis/runtime';
import { Store, withConnection } from '@glacis/store';
import { findProcesses, temporaryFolder, testDatabase, type TestDatabase } from '@glacis/testbed';
import { faultProxy, sharedCluster, type SharedCluster } from '@glacis/testbed/cluster';
import { jest } from '@jest/globals';
import { AgentListener } from '../src/agents/agent-listener.js';
import { EphemeralCertificates } from '../src/agents/ephemeral-certificates.js';
import type { Instance } from '../src/compute/compute-provider.js';
import { ComputeProviders } from '../src/compute/compute-providers.js';
import { namespaceOf } from '../src/compute/kubernetes/party-objects.js';
import { jobsMigrations } from '../src/index.js';
import { Reaper } from '../src/runs/reaper.js';
import { Worker } from '../src/runs/worker.js';
import { SETTINGS, type JobsSettings } from '../src/settings.js';
import { Line } from './line.js';
import { Stand, type StandOptions } from './stand.js';
import {
  endOf,
  example,
  expectedOf,
  prepared,
  rowsByCity,
  rowsOf,
  submit,
  type Made,
  type Story,
} from './story.js';

// The first run on a machine builds Kubernetes and the image.
jest.setTimeout(3_600_000);

/** Enough rows that a run can be met on its way. */
const large: Story = {
  ...example,
  tables: { north: rowsOf(20_000, (i) => ({ age: 20 + (i % 50), city: i % 7 })) },
  more: { cloud_providers: ['aws'] },
};

let cluster: SharedCluster;
let host: string;
let database: TestDatabase;
let options: StandOptions;
/** Where agents call: as the Service of the chart, it leads to whichever replica answers. */
let service: Line;
let stand: Stand;

/** The service, with an issuer that lives as long as these tests. */
async function started(more: StandOptions = {}): Promise<Stand> {
  const made = await Stand.start({ ...options, ...more });
  Object.assign(made.get(EphemeralCertificates), { localOnly: false });
  return made;
}

const leadTo = (replica: Stand): void =>
  service.leadTo({ host, port: replica.get(AgentListener).port! });

beforeAll(async () => {
  cluster = await sharedCluster();
  const folder = await temporaryFolder();
  const secretFile = join(folder, 'secret');
  await writeFile(secretFile, randomBytes(32));
  host = cluster.own?.nodes?.machineAddress ?? '127.0.0.1';
  service = await Line.open(host);
  database = await testDatabase({ jobs: jobsMigrations });
  options = {
    database,
    settings: {
      dataDir: folder,
      secretFile,
      auth: 'open',
      agentsHost: host,
      agentsUrl: `https://${host}:${service.port}`,
      kubernetesProvider: 'aws',
      kubernetesImage: cluster.image,
      kubeconfig: cluster.kubeconfig,
    },
  };
  stand = await started();
  leadTo(stand);
});
afterAll(async () => {
  await stand?.stop();
  service?.close();
  await database?.drop();
});

interface AgentRow {
  id: string;
  party: number;
}

/** Those of the first attempt; keys were made by others before. */
function agentsOf({ id }: Made): Promise<AgentRow[]> {
  const sql =
    'SELECT id, party FROM agents WHERE job_id = $1 AND attempt = 1 ORDER BY started_at, id';
  return stand.get(Store).query<AgentRow>(sql, [id]);
}

/** Resolves while the parties compute. */
async function running({ id }: Made): Promise<void> {
  const isRunning = async (): Promise<boolean> => {
    const sql = `SELECT 1 FROM agent_instructions JOIN agents a ON a.id = agent_id
      WHERE job_id = $1 AND step = 'run' AND accepted_at IS NOT NULL`;
    return (await stand.get(Store).query(sql, [id])).length === 3;
  };
  await waitFor(isRunning, {
    deadlineMs: 180_000,
    everyMs: 20,
    what: 'three parties that compute',
  });
}

async function succeeded(job: Made, story: Story): Promise<void> {
  const { body } = await endOf(stand.program, job, 300_000);
  expect(body).toMatchObject({ status: 'Success', execution: 'cloud', teardown: 'done' });
  expect(await rowsByCity(body.result)).toEqual(expectedOf(story));
}

const listed = async (...args: string[]): Promise<string[]> =>
  (await cluster.kubectl('get', ...args, '-o', 'name')).split('\n').filter(Boolean);

/** Deletes a job and sees that the cluster has nothing of it. */
async function removed({ id, token }: Made): Promise<void> {
  for (const party of [0, 1, 2])
    expect(await listed('pods,secrets', '-n', namespaceOf(id, party))).toEqual([]);
  const headers = { authorization: `Bearer ${token}` };
  expect((await stand.send('DELETE', `/jobs/${id}`, { headers })).status).toBeLessThan(300);
  const settings = stand.program.app.get<JobsSettings>(SETTINGS, { strict: false });
  const { orphanGrace } = settings;
  // For this run alone: a later one would end agents that make keys for the next job.
  Object.assign(settings, { orphanGrace: 0 });
  await stand.get(Reaper).run();
  Object.assign(settings, { orphanGrace });
  const gone = async (): Promise<boolean> =>
    (await listed('namespaces', '-l', `glacis-job=${id}`)).length === 0;
  await waitFor(gone, { deadlineMs: 300_000, everyMs: 500, what: 'the namespaces to go' });
}

test('jobs.md 9: three pods go on through a restart of the service, to the rows that plain evaluation gives', async () => {
  const job = await prepared(stand.program, large);
  expect(await submit(stand.program, job)).toMatchObject({ status: 200 });
  await running(job);
  const agents = await agentsOf(job);
  for (const party of [0, 1, 2])
    expect(await listed('networkpolicies', '-n', namespaceOf(job.id, party))).toHaveLength(1);
  await stand.stop();
  stand = await started();
  leadTo(stand);
  await succeeded(job, large);
  expect(await agentsOf(job)).toEqual(agents);
  await removed(job);
});

/** Of a party that stands still while something is done: the job cannot end meanwhile. */
async function still<T>(agent: AgentRow | undefined, work: () => Promise<T>): Promise<T> {
  const [party] = await findProcesses(`--run\0${agent?.id}`);
  process.kill(party!.pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    process.kill(party!.pid, 'SIGCONT');
  }
}

const seen = (replica: Stand): Promise<Instance[]> =>
  replica.get(ComputeProviders).of('aws').listByTag({}, { timeoutMs: 60_000 });

test('jobs.md 9: two replicas see the same pods; one is cut off, and the other goes on with them', async () => {
  const url = new URL(database.url);
  const proxy = await faultProxy({ host: url.hostname, port: Number(url.port) });
  url.host = `127.0.0.1:${proxy.port}`;
  const cut = await started({ database: { ...database, url: url.href } });
  try {
    // The other one has no part in the job yet.
    await stand.stop();
    leadTo(cut);
    const job = await prepared(cut.program, large);
    await submit(cut.program, job);
    stand = await started();
    await running(job);
    const agents = await agentsOf(job);
    await still(agents[0], async () => {
      expect(await seen(stand)).toEqual(await seen(cut));
      expect(await seen(stand)).toHaveLength(3);
      for (const replica of [cut, stand]) await replica.get(Reaper).run();
      proxy.cut();
      leadTo(stand);
      await withConnection(database.url, (connection) =>
        connection.query('UPDATE jobs.jobs SET lease_until = now() WHERE id = $1', [job.id]),
      );
      const worker = stand.get(Worker);
      await waitFor(() => worker.running === 1, { what: 'the other replica to take the job' });
      // It finds out that it has lost the job, of which it had thought to hold it.
      proxy.heal();
      await waitFor(() => cut.get(Worker).running === 0, { what: 'the first one to let it go' });
    });
    await succeeded(job, large);
    expect(await agentsOf(job)).toEqual(agents);
    await removed(job);
  } finally {
    await cut.stop();
    await proxy.close();
  }
});

test('jobs.md 13: a pod is killed while it computes: all are new, and the job succeeds', async () => {
  const job = await prepared(stand.program, large);
  await submit(stand.program, job);
  await running(job);
  const [first] = await agentsOf(job);
  const [killed] = await findProcesses(`--run\0${first?.id}`);
  process.kill(killed!.pid, 'SIGKILL');
  await succeeded(job, large);
  expect(await agentsOf(job)).toHaveLength(6);
  await removed(job);
});
