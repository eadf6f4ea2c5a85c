import { dialectNames, status, type ComputationRun, type DialectName } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { ScriptedServer } from '../test/scripted-server.js';
import { TestCa } from '../test/test-ca.js';
import { createLog } from './log.js';
import { startProgram, type Program, type ProgramOptions } from './program.js';
import { StubDriver } from './vms/stub-driver.js';
import { loadManagerSettings } from './settings.js';

const backoff = { initialMs: 10, factor: 1, maxMs: 10, jitter: 0 };
const cleanups: (() => Promise<unknown>)[] = [];
let ca: TestCa;

beforeAll(async () => {
  ca = await TestCa.create();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Stand {
  server: ScriptedServer;
  program: Program;
  lines: () => { level: string; msg: string }[];
  http: (path: string) => Promise<{ status: number; body: string }>;
}

async function stand(
  dialect: DialectName,
  env: Record<string, string> = {},
  options: ProgramOptions = {},
): Promise<Stand> {
  const server = await ScriptedServer.start(ca, dialect);
  cleanups.push(() => server.close());
  const written: string[] = [];
  const log = createLog('info', { write: (line: string) => void written.push(line) });
  const settings = loadManagerSettings({ env: { ...server.env(dialect), ...env } });
  const driver = new StubDriver({ stepMs: 1 });
  const program = await startProgram(settings, log, { backoff, driver, ...options });
  cleanups.push(() => {
    program.manager.stop();
    return program.ended;
  });
  return {
    server,
    program,
    lines: () => written.map((line) => JSON.parse(line) as { level: string; msg: string }),
    http: async (path) => {
      const reply = await fetch(`http://127.0.0.1:${program.httpPort}${path}`);
      return { status: reply.status, body: await reply.text() };
    },
  };
}

const key = Buffer.from('key');
const hash = Buffer.alloc(32, 7);
function runOf(id: string, changes: Partial<ComputationRun> = {}): ComputationRun {
  return {
    id,
    name: 'n',
    description: '',
    datasets: [{ hash, userKey: key, filename: 'data.csv' }],
    algorithm: { hash, userKey: key },
    resultConsumers: [],
    agentConfig: {
      port: '7002',
      host: '',
      certFile: '',
      keyFile: '',
      clientCaFile: '',
      serverCaFile: '',
      logLevel: 'info',
      attestedTls: false,
    },
    ...changes,
  };
}
const run = (
  id: string,
  changes?: Partial<ComputationRun>,
): { kind: 'run'; value: ComputationRun } => ({
  kind: 'run',
  value: runOf(id, changes),
});
const stop = (computationId: string): { kind: 'stop'; value: { computationId: string } } => ({
  kind: 'stop',
  value: { computationId },
});
const terminate = (message: string): { kind: 'terminate'; value: { message: string } } => ({
  kind: 'terminate',
  value: { message },
});

const oldAgent = [
  'agent receivingAlgorithm InProgress',
  'agent receivingData InProgress',
  'agent running Starting',
  'agent running InProgress',
  'agent running Completed',
  'agent resultsReady Ready',
  'agent complete Completed',
];
const newAgent = [
  'agent ReceivingAlgorithm InProgress',
  'agent ReceivingData InProgress',
  'agent Running Starting',
  'agent Running InProgress',
  'agent Running Completed',
  'agent ConsumingResults Ready',
  'agent Complete Completed',
];
const oldProvision = (manifest: string): string[] => [
  'manager vm-provision starting',
  'manager vm-provision in-progress',
  'agentLog',
  `agent ${manifest} InProgress`,
  'manager vm-provision complete',
  'runResponse',
];
const lives: Record<DialectName, string[]> = {
  seed: [...oldProvision('receivingManifest'), ...oldAgent],
  'v0.2': [...oldProvision('receivingManifest'), ...oldAgent],
  'v0.3': [...oldProvision('ReceivingManifest'), ...newAgent],
  'v0.4': [
    'manager VmProvision Starting',
    'manager VmProvision InProgress',
    'agentLog',
    'agent ReceivingManifest InProgress',
    'manager VmProvision Completed',
    'manager VmRunning InProgress',
    'runResponse',
    ...newAgent,
  ],
};

describe.each(dialectNames)('backends.md 14: manager of dialect %s', (dialect) => {
  it('says who it is, runs a computation in the words of the dialect, and is ready meanwhile', async () => {
    const { server, http } = await stand(dialect, { MANAGER_INSTANCE_ID: 'host-1' });
    const stream = await server.stream(0);
    expect(stream.metadata.get('glacis-protocol')).toEqual([dialect]);
    expect(stream.metadata.get('glacis-manager-version')[0]).toMatch(/^\d+\.\d+\.\d+$/);
    expect(stream.metadata.get('glacis-manager-instance')).toEqual(['host-1']);
    expect(stream.metadata.get('traceparent')[0]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-/);
    stream.send(run('c1'));
    const heard = await stream.hears(lives[dialect].at(-1) ?? '');
    expect(heard).toEqual(lives[dialect]);
    const response = stream.received.find((message) => message.kind === 'runResponse');
    expect(response?.value).toEqual({ agentPort: '6100', computationId: 'c1' });
    expect((await http('/readyz')).status).toBe(200);
    const { body } = await http('/metrics');
    expect(body).toContain('manager_api_request_count{method="run"} 1');
    expect(body).toMatch(
      /manager_api_request_latency_microseconds\{quantile="0.5",method="run"\} \d{3,}/,
    );
  });

  it('a bad run gives a failed event and the process goes on', async () => {
    const { server } = await stand(dialect);
    const stream = await server.stream(0);
    stream.send(run('b1', { agentConfig: undefined }));
    stream.send(run('b2', { algorithm: undefined }));
    stream.send(run('b3', { algorithm: { hash: Buffer.alloc(31), userKey: key } }));
    stream.send(run('b4', { datasets: [{ hash: Buffer.alloc(0), userKey: key, filename: '' }] }));
    stream.send(run('good'));
    await stream.hears('runResponse');
    const failed = stream.received.flatMap((message) =>
      message.kind === 'agentEvent' && /failed/i.test(message.value.status)
        ? [[message.value.computationId, message.value.details.toString()]]
        : [],
    );
    expect(failed).toEqual([
      ['b1', '{"error":"agent_config is missing"}'],
      ['b2', '{"error":"algorithm is missing"}'],
      ['b3', '{"error":"algorithm hash is not 32 bytes long"}'],
      ['b4', '{"error":"hash of dataset 0 is not 32 bytes long"}'],
    ]);
  });

  it('backends.md 5: Terminate prints both lines and ends it', async () => {
    const { server, program, lines } = await stand(dialect);
    const stream = await server.stream(0);
    stream.send(run('c1'));
    await stream.hears('runResponse');
    stream.send(terminate('Backend Closed'));
    expect(await program.ended).toBe('terminated');
    const between = ['seed', 'v0.2'].includes(dialect) ? '\n' : ': ';
    expect(lines().filter(({ level }) => level === 'ERROR')).toMatchObject([
      {
        msg: `manager service terminated: server requested client termination${between}Backend Closed`,
      },
      { msg: 'Error shutting down tracer provider: context canceled' },
    ]);
    await waitFor(() => stream.closed);
  });
});

describe('stops', () => {
  it.each([
    ['v0.3', 'stop-computation complete', 'stop-computation failed'],
    ['v0.4', 'StopComputationRun Completed', 'StopComputationRun Failed'],
  ] as const)('%s answers, also for an unknown id', async (dialect, done, failed) => {
    const { server } = await stand(dialect);
    const stream = await server.stream(0);
    stream.send(run('c1'));
    await stream.hears('runResponse');
    stream.send(stop('c1'));
    await stream.hears(`manager ${done}`);
    await stream.hears('stopResponse ');
    stream.send(stop('c1'));
    await stream.hears(`manager ${failed}`);
    await stream.hears('stopResponse entity not found');
  });

  it('v0.2 has no answer; it stops the guest and survives an unknown id', async () => {
    const { server } = await stand('v0.2');
    const stream = await server.stream(0);
    stream.send(stop('unknown'));
    stream.send(run('c1'));
    await stream.hears('runResponse');
    stream.send(stop('c1'));
    const heard = await stream.hears('agent Stopped Stopped');
    expect(heard.filter((text) => text.startsWith('stopResponse'))).toEqual([]);
    expect(heard.some((text) => text.includes('stop-computation'))).toBe(false);
  });

  it('one that comes while the run starts is read at once and wins', async () => {
    const { server } = await stand('v0.4', {}, { driver: new StubDriver({ stepMs: 250 }) });
    const stream = await server.stream(0);
    stream.send(run('c1'));
    await stream.hears('manager VmProvision InProgress');
    stream.send(stop('c1'));
    const heard = await stream.hears('stopResponse ');
    expect(heard).not.toContain('runResponse');
    stream.send(run('c1'));
    await stream.hears('agent Complete Completed');
    expect(stream.heard().filter((text) => text.includes('Failed'))).toEqual([]);
  });
});

describe('runs', () => {
  it('several run side by side, each on its port; a repeated id is refused', async () => {
    const { server } = await stand('v0.4');
    const stream = await server.stream(0);
    for (const id of ['a', 'b', 'c']) stream.send(run(id));
    await waitFor(
      () => stream.heard().filter((text) => text === 'agent Complete Completed').length === 3,
    );
    const ports = stream.received.flatMap((m) =>
      m.kind === 'runResponse' ? [m.value.agentPort] : [],
    );
    expect(ports).toEqual(['6100', '6101', '6102']);
    stream.send(run('b'));
    await stream.hears('manager VmProvision Failed');
  });

  it('no free port: the run fails, a stop makes room', async () => {
    const driver = new StubDriver({ stepMs: 1, ports: { first: 6_100, last: 6_100 } });
    const { server } = await stand('v0.3', {}, { driver });
    const stream = await server.stream(0);
    stream.send(run('a'));
    await stream.hears('runResponse');
    stream.send(run('b'));
    await stream.hears('manager vm-provision failed');
    stream.send(stop('a'));
    await stream.hears('stopResponse ');
    stream.send(run('b'));
    await waitFor(() => stream.heard().filter((text) => text === 'runResponse').length === 2);
  });

  it('pieces that make no run request give a failed event', async () => {
    const { server } = await stand('v0.3');
    const stream = await server.stream(0);
    stream.send({
      kind: 'runChunk',
      value: { id: 'x', data: Buffer.from([0x0a, 9]), isLast: true },
    });
    await stream.hears('manager vm-provision failed');
  });

  it('information is asked of the host', async () => {
    const { server } = await stand('v0.4', { MANAGER_EOS_VERSION: 'eos 1' });
    const stream = await server.stream(0);
    stream.send({ kind: 'informationRequest', value: { id: 'r1' } });
    stream.send({ kind: 'svmInfoRequest', value: { id: 'r2' } });
    await stream.hears('svmInfo');
    expect(stream.received).toMatchObject([
      { kind: 'information', value: { id: 'r1', info: Buffer.from('{}') } },
      { kind: 'svmInfo', value: { id: 'r2', eosVersion: 'eos 1' } },
    ]);
  });
});

describe('reconnect', () => {
  it('dials again when a stream ends; runs go on and what they said meanwhile arrives', async () => {
    const { server, http } = await stand('v0.4', {}, { driver: new StubDriver({ stepMs: 250 }) });
    const first = await server.stream(0);
    first.send(run('c1'));
    await first.hears('runResponse');
    first.fail(status.UNAVAILABLE, 'restarting');
    const second = await server.stream(1);
    await second.hears('agent Complete Completed');
    const all = [...first.heard(), ...second.heard()];
    expect(all).toEqual(lives['v0.4']);
    second.fail(status.ABORTED);
    await server.stream(2);
    await waitFor(async () => (await http('/readyz')).status === 200);
  });

  it('is not ready without a stream, and alive nevertheless', async () => {
    const { server, http } = await stand(
      'seed',
      {},
      { backoff: { ...backoff, maxMs: 10_000, initialMs: 10_000 } },
    );
    (await server.stream(0)).fail(status.UNAVAILABLE);
    await waitFor(async () => (await http('/readyz')).status === 503);
    expect((await http('/livez')).status).toBe(200);
    expect(JSON.parse((await http('/health')).body)).toMatchObject({ status: 'pass' });
    expect((await http('/nothing')).status).toBe(404);
  });

  it('UNAUTHENTICATED ends it', async () => {
    const { server, program, lines } = await stand('seed');
    server.onStream = (stream) => stream.fail(status.UNAUTHENTICATED, 'revoked');
    (await server.stream(0)).fail(status.UNAVAILABLE);
    expect(await program.ended).toBe('refused');
    expect(lines().filter(({ level }) => level === 'ERROR')).toMatchObject([
      { msg: 'stream ended', details: 'revoked' },
    ]);
  });

  it('GLACIS_MANAGER_RECONNECT=false: one error line and the end', async () => {
    const { server, program, lines } = await stand('seed', { GLACIS_MANAGER_RECONNECT: 'false' });
    (await server.stream(0)).fail(status.UNAVAILABLE, 'gone');
    expect(await program.ended).toBe('give-up');
    expect(lines().filter(({ level }) => level === 'ERROR')).toHaveLength(1);
  });

  it('certificate files that are unreadable for a while are tried again', async () => {
    const { server, lines } = await stand('seed');
    const first = await server.stream(0);
    await server.writeFiles(ca, { key: 'none', cert: 'none' });
    first.fail(status.UNAVAILABLE);
    await waitFor(() => lines().some((line) => JSON.stringify(line).includes('certificate files')));
    await server.writeFiles(ca, await ca.issue('renewed'));
    await server.stream(1);
  });
});

describe('Backend Replaced', () => {
  it('on the stream in use ends the manager: another has taken its place', async () => {
    const { server, program, lines } = await stand('v0.3');
    (await server.stream(0)).send(terminate('Backend Replaced'));
    expect(await program.ended).toBe('terminated');
    expect(lines().some(({ msg }) => msg.endsWith(': Backend Replaced'))).toBe(true);
  });

  it('on a stream that it has itself replaced ends only that stream', async () => {
    const { server, program } = await stand(
      'v0.4',
      {},
      { driver: new StubDriver({ stepMs: 250 }) },
    );
    const first = await server.stream(0);
    first.send(run('c1'));
    await first.hears('runResponse');
    server.onStream = (stream) => {
      // As the real server does it: the older stream hears of its end before the newer is admitted.
      first.send(terminate('Backend Replaced'));
      void waitFor(() => first.closed).then(() => stream.accept());
    };
    expect(await program.manager.renew()).toBe(true);
    const second = await server.stream(1);
    expect((await second.hears('agent Complete Completed')).length).toBeGreaterThan(0);
    expect(program.manager.connected).toBe(true);
  });

  it('a renewal keeps the stream in use until the new one is admitted, however long that takes', async () => {
    const driver = new StubDriver({ stepMs: 250 });
    const { server, program } = await stand('v0.4', {}, { driver });
    const first = await server.stream(0);
    server.onStream = () => undefined;
    await waitFor(() => program.manager.connected);
    const renewed = program.manager.renew();
    const second = await server.stream(1);
    // A run of almost two seconds, all of which is told on the first stream.
    first.send(run('c1'));
    await first.hears('agent Complete Completed');
    expect(first.closed).toBe(false);
    second.accept();
    expect(await renewed).toBe(true);
    await waitFor(() => first.closed);
  });

  it('a stop does not wait for a renewal that is not admitted', async () => {
    const { server, program } = await stand('v0.4');
    await server.stream(0);
    server.onStream = () => undefined;
    await waitFor(() => program.manager.connected);
    const renewed = program.manager.renew();
    await server.stream(1);
    program.manager.stop();
    expect(await program.ended).toBe('stopped');
    expect(await renewed).toBe(false);
  });

  it('a renewal that fails leaves the stream in use alone', async () => {
    const { server, program } = await stand('v0.4');
    const first = await server.stream(0);
    server.onStream = (stream) => stream.fail(status.PERMISSION_DENIED);
    await waitFor(() => program.manager.connected);
    expect(await program.manager.renew()).toBe(false);
    await server.writeFiles(ca, { key: 'none', cert: 'none' });
    expect(await program.manager.renew()).toBe(false);
    expect(server.streams).toHaveLength(2);
    first.send(run('c1'));
    await first.hears('agent Complete Completed');
  });
});
