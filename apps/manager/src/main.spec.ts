import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@glacis/runtime';
import { ScriptedServer } from '../test/scripted-server.js';
import { TestCa } from '../test/test-ca.js';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const plaintext = { MANAGER_GRPC_INSECURE: 'true' };
const children: ChildProcess[] = [];
let server: ScriptedServer;

beforeAll(async () => {
  server = await ScriptedServer.start(await TestCa.create(), 'v0.2');
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

afterAll(() => server.close());

interface Started {
  child: ChildProcess;
  exit: Promise<number | null>;
  lines: () => { level: string; msg: string; reason?: string }[];
}

function start(env: Record<string, string>): Started {
  server.streams.length = 0;
  const child = spawn(process.execPath, [main], { env: { PATH: process.env['PATH'], ...env } });
  children.push(child);
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  return {
    child,
    exit: once(child, 'exit').then(([code]) => code as number | null),
    lines: () =>
      output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { level: string; msg: string }),
  };
}

describe('the program', () => {
  it('backends.md 5: exits 0 after Terminate, with both lines as JSON on standard output', async () => {
    const { exit, lines } = start(server.env('v0.2'));
    const stream = await server.stream(0);
    stream.send({ kind: 'terminate', value: { message: 'Backend Closed' } });
    expect(await exit).toBe(0);
    expect(lines().filter(({ level }) => level === 'ERROR')).toMatchObject([
      {
        msg: 'manager service terminated: server requested client termination\nBackend Closed',
      },
      { msg: 'Error shutting down tracer provider: context canceled' },
    ]);
  });

  it('SIGTERM stops it with exit 0 and without an error line', async () => {
    const { child, exit, lines } = start(server.env('v0.2'));
    const stream = await server.stream(0);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(lines().filter(({ level }) => level === 'ERROR')).toEqual([]);
    await waitFor(() => stream.closed);
  });

  it('SIGHUP opens a stream with the files as they are now', async () => {
    const { child, lines } = start(server.env('v0.2'));
    const first = await server.stream(0);
    await waitFor(() => lines().some(({ msg }) => msg === 'stream is open'));
    child.kill('SIGHUP');
    await server.stream(1);
    await waitFor(() => first.closed);
  });

  it.each([
    [{ MANAGER_GRPC_CLIENT_CERT: 'c', MANAGER_GRPC_CLIENT_KEY: 'k' }, 'SERVER_CA_CERTS'],
    [{ MANAGER_GRPC_SERVER_CA_CERTS: 'ca' }, 'CLIENT_CERT'],
    [{}, 'MANAGER_GRPC_INSECURE'],
    [{ MANAGER_GRPC_INSECURE: 'true', MANAGER_GRPC_ATTESTED_TLS: 'true' }, 'ATTESTED_TLS'],
    [{ ...plaintext, GLACIS_MANAGER_TEE: 'snp', MANAGER_QEMU_BIN_PATH: '/nowhere' }, 'BIN_PATH'],
    [{ ...plaintext, GLACIS_MANAGER_TEE: 'snp', MANAGER_QEMU_ENABLE_SEV_SNP: 'false' }, 'SEV'],
    [{ ...plaintext, GLACIS_MANAGER_TEE: 'tdx', GLACIS_MANAGER_VM_DRIVER: 'stub' }, 'no guests'],
    [{ ...plaintext, MANAGER_QEMU_HOST_FWD_RANGE: '5' }, 'HOST_FWD_RANGE'],
    [{ MANAGER_GRPC_INSECURE: 'true', GLACIS_MANAGER_PROTOCOL: 'v1' }, 'GLACIS_MANAGER_PROTOCOL'],
    [{ MANAGER_GRPC_TIMEOUT: '60' }, 'MANAGER_GRPC_TIMEOUT'],
    [{ MG_JAEGER_TRACE_RATIO: '2' }, 'TRACE_RATIO'],
  ])('refuses to start with %j and says why', async (env, reason) => {
    const { exit, lines } = start(env as Record<string, string>);
    expect(await exit).toBe(1);
    expect(lines()).toMatchObject([{ level: 'ERROR', reason: expect.stringContaining(reason) }]);
  });

  it('speaks plaintext only when told so', async () => {
    const { exit, lines } = start({
      MANAGER_GRPC_INSECURE: 'true',
      MANAGER_GRPC_URL: `127.0.0.1:${server.listener.port}`,
      GLACIS_MANAGER_RECONNECT: 'false',
      GLACIS_MANAGER_HTTP_PORT: '0',
      COCOS_JAEGER_URL: '',
    });
    expect(await exit).toBe(0);
    expect(lines().at(-1)).toMatchObject({ level: 'ERROR', msg: 'stream ended' });
  });
});
