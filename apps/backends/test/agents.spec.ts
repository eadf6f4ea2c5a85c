import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { agentDialectNames, type AgentDialectName } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { jest } from '@jest/globals';
import type { DialedAgent } from './dialed-agent.js';
import { FakeCertificates } from './fake-certificates.js';
import { Stand, type Reply } from './stand.js';

jest.setTimeout(60_000);

let database: TestDatabase;
let stand: Stand;

beforeAll(async () => {
  database = await testDatabase();
  stand = await Stand.start(await FakeCertificates.create(), {
    databaseUrl: database.url,
    settings: { kbsHosts: '{"tenant-a":["kbs.example"]}' },
  });
});
afterAll(async () => {
  await stand?.stop();
  await database.drop();
});

const key = generateKeyPairSync('ed25519')
  .publicKey.export({ type: 'spki', format: 'der' })
  .toString('base64');
const noKey = Buffer.from('no key').toString('base64');
const hash = [...randomBytes(32)];
const manifest = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: 'c1',
  name: 'sum',
  datasets: [{ hash, user_key: key, filename: 'a.csv' }],
  algorithm: { hash, user_key: key },
  result_consumers: [{ user_key: key }],
  agent_config: { port: '7002', server_key: '/etc/key.pem', log_level: 'debug' },
  ...changes,
});
const run = (id: string, body: unknown): Promise<Reply> =>
  stand.send('POST', `/backends/${id}/runs`, { body });
const listed = async (id: string): Promise<Record<string, unknown>[]> =>
  (await stand.send('GET', `/backends/${id}/runs`)).json().runs as Record<string, unknown>[];
const connect = (dialect: AgentDialectName, body = {}): ReturnType<Stand['connectedAgent']> =>
  stand.connectedAgent({ dialect, metadata: { 'glacis-protocol': dialect }, body });
const last = (agent: DialedAgent, kind: string): Promise<{ value: { id: string } }> =>
  waitFor(() => {
    const message = agent.messages.at(-1);
    return message?.kind === kind && (message as { value: { id: string } });
  });

describe('backends.md 9: a run', () => {
  it.each(agentDialectNames)(
    'reaches an agent of %s in pieces, and its answer is shown',
    async (dialect) => {
      const { id, agent } = await connect(dialect);
      const reply = await run(id, manifest());
      expect([reply.status, reply.text]).toEqual([
        202,
        '{"computation_id":"c1","queue_position":0}\n',
      ]);
      const [got] = await waitFor(() => agent.runs.length > 0 && agent.runs);
      expect(agent.messages.every(({ kind }) => kind === 'runChunk')).toBe(true);
      expect(got).toMatchObject({
        id: 'c1',
        datasets: [{ hash: Buffer.from(hash), filename: 'a.csv' }],
        agentConfig: {
          port: '7002',
          keyFile: '/etc/key.pem',
          logLevel: 'debug',
          attestedTls: false,
        },
      });
      expect(await listed(id)).toMatchObject([{ computation_id: 'c1', state: 'sent' }]);
      agent.send({ kind: 'runResult', value: { computationId: 'c1', error: 'wrong state' } });
      await waitFor(async () => (await listed(id))[0]?.state === 'failed');
      expect((await listed(id))[0]).toMatchObject({ error: 'wrong state' });
      expect((await stand.events(id)).at(-1)).toMatchObject({
        type: 'backend.run.answered',
        data: { computation_id: 'c1', error: 'wrong state' },
      });
    },
  );

  it('shows no more of an answer than a list of them can hold', async () => {
    const { id, agent } = await connect('v0.10');
    await run(id, manifest());
    await waitFor(() => agent.runs.length > 0);
    const error = 'x'.repeat(1 << 20);
    agent.send({ kind: 'runResult', value: { computationId: 'c1', error } });
    await waitFor(async () => (await listed(id))[0]?.state === 'failed');
    expect((await listed(id))[0]).toMatchObject({ error: 'x'.repeat(4096) });
  });

  it('is sent once, however often it is repeated with one key', async () => {
    const { id, agent } = await connect('v0.10');
    const headers = { 'idempotency-key': id };
    const path = `/backends/${id}/runs`;
    const replies = [];
    for (let i = 0; i < 3; i++) {
      replies.push(await stand.send('POST', path, { headers, body: manifest() }));
    }
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    await run(id, manifest({ id: 'c2' }));
    await waitFor(() => agent.runs.length > 1);
    expect(agent.runs.map((one) => one.id)).toEqual(['c1', 'c2']);
  });

  it('can be stopped, also after the agent has come back, and no other can', async () => {
    const { id, files, agent } = await connect('v0.10');
    await run(id, manifest());
    await waitFor(() => agent.runs.length > 0);
    const again = stand.agent(files);
    await again.opened;
    const stop = (computation: string): Promise<Reply> =>
      stand.send('DELETE', `/backends/${id}/runs/${computation}`);
    expect((await stop('c2')).status).toBe(404);
    expect((await stop('a%00b')).status).toBe(400);
    expect((await stop('c1')).status).toBe(204);
    await waitFor(() => again.messages.length > 0);
    expect(again.messages).toEqual([{ kind: 'stop', value: { computationId: 'c1' } }]);
    const told = await stand.store.query<{ told: string }>(
      `SELECT action || ' ' || actor AS told FROM audit
       WHERE subject = $1 AND action LIKE ANY ('{backend.run%,backend.stop%}') ORDER BY 1`,
      [id],
    );
    expect(told.map((row) => row.told)).toEqual([
      'backend.run tester',
      'backend.run.request tester',
      'backend.stop tester',
      'backend.stop tester',
      'backend.stop.request tester',
      'backend.stop.request tester',
    ]);
  });

  it('that another has followed is stopped no more: the agent would stop the other', async () => {
    const { id, agent } = await connect('v0.10');
    for (const [i, computation] of ['c1', 'c2'].entries()) {
      await run(id, manifest({ id: computation }));
      await waitFor(() => agent.runs.length > i);
      agent.send({ kind: 'runResult', value: { computationId: computation, error: '' } });
      await waitFor(async () => (await listed(id))[0]?.state === 'accepted');
    }
    const stop = (computation: string): Promise<Reply> =>
      stand.send('DELETE', `/backends/${id}/runs/${computation}`);
    const refused = await stop('c1');
    expect([refused.status, refused.json().detail]).toEqual([
      404,
      'the agent has taken another run since',
    ]);
    expect((await stop('c2')).status).toBe(204);
    await last(agent, 'stop');
    expect(agent.messages.filter(({ kind }) => kind === 'stop')).toHaveLength(1);
  });

  const source = { type: 's3', url: 's3://bucket/a', encrypted: true };
  const kbs = { url: 'http://kbs.example:8080' };

  it('carries sources and key brokers to agents that know them', async () => {
    const { id, agent } = await connect('v0.10');
    const algorithm = {
      hash,
      user_key: key,
      source: { type: 'oci-image', url: 'registry.example/a' },
      algo_type: 'python',
      algo_args: ['-v', ''],
      kbs,
    };
    const datasets = [{ hash, user_key: key, source, decompress: true, kbs }];
    expect((await run(id, manifest({ algorithm, datasets }))).status).toBe(202);
    const [got] = await waitFor(() => agent.runs.length > 0 && agent.runs);
    expect(got).toMatchObject({
      algorithm: {
        source: { type: 'oci-image', url: 'registry.example/a', encrypted: false },
        algoType: 'python',
        algoArgs: ['-v', ''],
        kbs: { url: kbs.url, enabled: true },
      },
      datasets: [{ source: { type: 's3', kbsResourcePath: '' }, decompress: true }],
    });
    const older = await connect('v0.9');
    const image = { hash, user_key: key, source: { ...source, type: 'oci-image' } };
    expect((await run(older.id, manifest({ datasets: [image], kbs }))).status).toBe(202);
    await waitFor(() => older.agent.runs.length > 0);
    expect(older.agent.runs[0]).toMatchObject({ kbs: { url: kbs.url } });
  });

  it.each([
    ['v0.9', { datasets: [{ hash, user_key: key, source }] }],
    ['v0.9', { algorithm: { hash, user_key: key, kbs } }],
    ['v0.10', { kbs }],
    ['v0.5.1', { algorithm: { hash, user_key: key, algo_type: 'wasm' } }],
    ['v0.5.0', { datasets: [{ hash, user_key: key, decompress: true }] }],
  ] as const)(
    'is refused where an agent of %s would drop a part of it',
    async (dialect, changes) => {
      const { id, agent } = await connect(dialect);
      expect((await run(id, manifest(changes))).json()).toMatchObject({
        status: 409,
        code: 'dialect-cannot',
      });
      expect(agent.messages).toEqual([]);
    },
  );

  it('backends.md 16.11: that names a key broker outside the list is 422 and nothing is sent', async () => {
    const { id, agent } = await connect('v0.10');
    for (const url of ['http://evil.example', 'http://kbs.example@evil.example', 'kbs.example']) {
      const algorithm = { hash, user_key: key, kbs: { url } };
      expect((await run(id, manifest({ algorithm }))).json()).toMatchObject({
        status: 422,
        code: 'kbs-host-not-allowed',
      });
    }
    const old = await connect('v0.9');
    const named = manifest({ kbs: { url: 'http://evil.example' } });
    expect((await run(old.id, named)).status).toBe(422);
    expect([...agent.messages, ...old.agent.messages]).toEqual([]);
    expect(await listed(id)).toEqual([]);
  });

  it.each([
    ['id', { id: '' }],
    ['algorithm', { algorithm: undefined }],
    ['agent_config', { agent_config: undefined }],
    ['algorithm.hash', { algorithm: { hash: hash.slice(1), user_key: key } }],
    ['datasets.0.hash', { datasets: [{ hash: [...hash, 0], user_key: key }] }],
    ['datasets.0.hash', { datasets: [{ user_key: key }] }],
    ['algorithm.hash.0', { algorithm: { hash: [256, ...hash.slice(1)], user_key: key } }],
    ['algorithm.user_key', { algorithm: { hash, user_key: '!' } }],
    ['algorithm.user_key', { algorithm: { hash, user_key: noKey } }],
    ['result_consumers.1.user_key', { result_consumers: [{ user_key: key }, { user_key: noKey }] }],
    [
      'algorithm.source.type',
      { algorithm: { hash, user_key: key, source: { type: 'ftp', url: '' } } },
    ],
  ])('backends.md 16.6: that would panic an agent is 400 and names %s', async (field, changes) => {
    const { id, agent } = await connect('v0.10');
    const reply = await run(id, manifest(changes));
    expect(reply.json()).toMatchObject({ status: 400, field });
    expect((await run(id, manifest({ id: 'after' }))).status).toBe(202);
    await waitFor(() => agent.runs.length > 0);
    expect(agent.runs.map(({ id: sent }) => sent)).toEqual(['after']);
  });

  it('needs a connected backend of the tenant', async () => {
    const idle = await stand.backend({ entity_type: 'cvm' });
    expect((await run(idle, manifest())).json()).toMatchObject({ code: 'not-connected' });
    const authorization = await stand.identity.bearer({ tenant: 'tenant-b' });
    for (const [method, path] of [
      ['POST', 'runs'],
      ['GET', 'runs'],
      ['DELETE', 'runs/c1'],
      ['GET', 'state'],
      ['POST', 'state'],
      ['GET', 'evidence'],
    ] as const) {
      const body = method === 'POST' ? manifest() : undefined;
      const reply = await stand.send(method, `/backends/${idle}/${path}`, { authorization, body });
      expect(reply.status).toBe(404);
    }
  });

  it('goes to managers too, who tell the port that leads to the agent', async () => {
    const { id, stream } = await stand.connected({ dialect: 'v0.4', body: { protocol: 'v0.4' } });
    expect((await run(id, manifest())).status).toBe(202);
    await waitFor(() => stream.messages.length === 2, { what: 'the run' });
    await stream.send({ kind: 'runResponse', value: { computationId: 'c1', agentPort: '6100' } });
    await waitFor(async () => (await listed(id))[0]?.state === 'accepted');
    expect((await listed(id))[0]).toMatchObject({ agent_port: '6100' });
  });
});

describe('backends.md 9: the state of an agent', () => {
  it('is asked for, answered by id and shown', async () => {
    const { id, agent } = await connect('v0.5.0');
    const state = (method = 'GET'): Promise<Reply> => stand.send(method, `/backends/${id}/state`);
    expect((await state()).status).toBe(404);
    expect((await state('POST')).status).toBe(202);
    const { value } = await last(agent, 'stateRequest');
    agent.send({ kind: 'agentState', value: { id: 'another', state: 'Running' } });
    agent.send({ kind: 'agentState', value: { id: value.id, state: 'ReceivingManifest\0' } });
    await waitFor(async () => (await state()).status === 200);
    expect((await state()).json()).toMatchObject({ state: 'ReceivingManifest\uFFFD' });
  });

  it('is none of a manager', async () => {
    const { id } = await stand.connected({ dialect: 'v0.4', body: { protocol: 'v0.4' } });
    const reply = await stand.send('POST', `/backends/${id}/state`);
    expect(reply.json()).toMatchObject({ status: 409, code: 'dialect-cannot' });
  });
});

describe('certificates.md 15.1: evidence of an agent', () => {
  it('is kept and shown, the latest of each kind, as unverified', async () => {
    const { id, files, agent } = await connect('v0.10');
    expect(await stand.show(id)).toMatchObject({ verdict: 'unverified' });
    const shown = async (): Promise<Record<string, unknown>> =>
      (await stand.send('GET', `/backends/${id}/evidence`)).json();
    expect(await shown()).toEqual({ verdict: 'unverified', freshness: 'none', evidence: [] });
    const file = randomBytes(1240);
    const report = { file, certSerialNumber: '7' };
    agent.send({ kind: 'azureEvidence', value: { ...report, file: Buffer.alloc(0) } });
    agent.send({ kind: 'vtpmEvidence', value: { ...report, file: Buffer.from('first') } });
    agent.send({ kind: 'vtpmEvidence', value: report });
    const sha256 = createHash('sha256').update(file).digest('hex');
    const told = {
      claimed_serial: '7',
      certificate_serial: files.serial,
      received_at: expect.any(String),
    };
    await waitFor(async () => JSON.stringify(await shown()).includes(sha256));
    expect(await shown()).toEqual({
      verdict: 'unverified',
      freshness: 'none',
      evidence: [
        { kind: 'azure', file: '', sha256: createHash('sha256').digest('hex'), ...told },
        { kind: 'vtpm', file: file.toString('base64'), sha256, ...told },
      ],
    });
  });
});
