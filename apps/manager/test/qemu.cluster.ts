import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dialects, type ComputationRun } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { findProcesses } from '@glacis/testbed';
import { requireProgram, smallGuest } from '@glacis/testbed/cluster';
import { createLog } from '../src/log.js';
import { startProgram } from '../src/program.js';
import { framed } from '../src/qemu/guest-link.js';
import { Processes } from '../src/qemu/processes.js';
import { loadManagerSettings } from '../src/settings.js';
import { ScriptedServer } from './scripted-server.js';
import { TestCa } from './test-ca.js';
import { VmClient } from './vm-client.js';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
/** Emulated: a boot takes seconds, and several on a machine that is busy. */
const bootMs = 120_000;

const event = (eventType: string, status: string): Buffer =>
  framed(
    dialects['v0.4'].encodeClient({
      kind: 'agentEvent',
      value: {
        eventType,
        status,
        computationId: 'c1',
        originator: 'agent',
        details: Buffer.alloc(0),
        timestamp: undefined,
      },
    }),
  );

/** Does as an agent does: says that it is there, takes the manifest, and tells how it goes. */
const script = `
echo "guest is up"
port=$(echo /dev/vport?p?)
if [ -e $port ]; then
  exec 3<>$port
  cat /receiving >&3
  length=$(dd bs=1 count=4 <&3 2>/dev/null | hexdump -v -e '/1 "%02x"')
  echo "manifest $(dd bs=1 count=$((0x$length)) <&3 2>/dev/null)"
  cat /running >&3
fi
echo "guest has its work"
while sleep 1; do echo "guest lives"; done
`;

const hash = Buffer.alloc(32, 7);
const run = { id: 'c1', name: 'n', datasets: [], resultConsumers: [] } as unknown as ComputationRun;
const computation = {
  ...run,
  description: '',
  algorithm: { hash, userKey: Buffer.from('key') },
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
};

const cleanups: (() => Promise<unknown>)[] = [];
let env: Record<string, string>;
let folder: string;

beforeAll(async () => {
  const binPath = await requireProgram('qemu-system-x86_64', 'qemu-system-x86');
  const files = {
    receiving: event('ReceivingManifest', 'InProgress'),
    running: event('Running', 'InProgress'),
  };
  const { kernel, initramfs, firmware } = await smallGuest(script, files);
  folder = await mkdtemp(join(tmpdir(), 'glacis-qemu-'));
  env = {
    MANAGER_QEMU_BIN_PATH: binPath,
    MANAGER_QEMU_ENABLE_KVM: 'false',
    MANAGER_QEMU_CPU: 'max',
    MANAGER_QEMU_SMP_COUNT: '1',
    MANAGER_QEMU_MEMORY_SIZE: '256M',
    MANAGER_QEMU_MAX_MEMORY: '1G',
    MANAGER_QEMU_TMP_FILE_LOC: folder,
    MANAGER_QEMU_OVMF_CODE_FILE: firmware.code,
    MANAGER_QEMU_OVMF_VARS_FILE: firmware.vars,
    MANAGER_QEMU_HOST_FWD_RANGE: '16300-16400',
    MANAGER_QEMU_DISK_IMG_KERNEL_FILE: kernel,
    MANAGER_QEMU_DISK_IMG_ROOTFS_FILE: initramfs,
    MANAGER_QEMU_KERNEL_CMDLINE: 'quiet console=ttyS0 panic=-1',
    GLACIS_MANAGER_GUEST_LINK: 'serial',
  };
}, 300_000);

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  await new Processes({ useSudo: false }).end(folder);
});

it(
  'backends.md 14: a run over the manager stream boots a real guest, whose console arrives as logs',
  async () => {
    const server = await ScriptedServer.start(await TestCa.create(), 'v0.4');
    cleanups.push(() => server.close());
    const settings = loadManagerSettings({ env: { ...server.env('v0.4'), ...env } });
    const program = await startProgram(settings, createLog('error'));
    cleanups.push(() => {
      program.manager.stop();
      return program.ended;
    });
    const stream = await server.stream(0);
    stream.send({ kind: 'run', value: computation });
    const logs = (): string[] =>
      stream.received.flatMap(({ kind, value }) => (kind === 'agentLog' ? [value.message] : []));
    await waitFor(() => logs().includes('guest has its work'), { deadlineMs: bootMs });
    expect(logs()).toContain('guest is up');
    const manifest = logs().find((line) => line.startsWith('manifest {"id":"c1","name":"n"'));
    expect(manifest).toContain('"agent_config":{"log_level":"info","port":"7002"}');
    const events = stream.heard().filter((text) => text !== 'agentLog');
    expect(events).toEqual([
      'manager VmProvision Starting',
      'manager VmProvision InProgress',
      'agent ReceivingManifest InProgress',
      'manager VmProvision Completed',
      'manager VmRunning InProgress',
      'runResponse',
      'agent Running InProgress',
    ]);
    stream.send({ kind: 'stop', value: { computationId: 'c1' } });
    await stream.hears('stopResponse ');
    expect(await findProcesses(join(folder, 'glacis-vm-'))).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  },
  bootMs * 2,
);

it(
  'backends.md 8: a VM outlives its killed manager; the next one knows it and removes it',
  async () => {
    const own = {
      ...env,
      PATH: process.env['PATH'],
      GLACIS_MANAGER_GENERATION: 'B',
      GLACIS_MANAGER_HTTP_PORT: '0',
      MANAGER_GRPC_HOST: '127.0.0.1',
      MANAGER_GRPC_PORT: '0',
      MANAGER_GRPC_INSECURE: 'true',
      MANAGER_LOG_LEVEL: 'debug',
      COCOS_JAEGER_URL: '',
    };
    const first = await startManager(own);
    const { cvm_id: id } = await first.client.call('CreateVm', { ttl: '1h' });
    await waitFor(() => first.output().includes('guest is up'), { deadlineMs: bootMs });
    await first.kill();
    const second = await startManager(own);
    expect(await second.client.call('CVMInfo', { id })).toMatchObject({ id, cpu_type: 'max' });
    await waitFor(() => second.output().includes('guest lives'), { deadlineMs: 30_000 });
    await second.client.call('RemoveVm', { cvm_id: id });
    expect(await findProcesses(join(folder, 'glacis-vm-'))).toEqual([]);
  },
  bootMs * 2,
);

/** The real program, to be killed. */
async function startManager(own: NodeJS.ProcessEnv): Promise<{
  client: VmClient;
  output: () => string;
  kill: () => Promise<unknown>;
}> {
  const child = spawn(process.execPath, [main], { env: own });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  const exit = once(child, 'exit');
  const kill = (): Promise<unknown> => {
    child.kill('SIGKILL');
    return exit;
  };
  cleanups.push(kill);
  const port = await waitFor(() => /"grpcPort":(\d+)/.exec(output)?.[1], { deadlineMs: 30_000 });
  const service = 'manager.ManagerService';
  const client = new VmClient('./versions/v0.9.0.proto', service, `127.0.0.1:${port}`);
  cleanups.push(() => Promise.resolve(client.close()));
  return { client, output: () => output, kill };
}
