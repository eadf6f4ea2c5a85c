import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFileRegistry, create, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { status } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { TestCa, type PemPair } from '../../test/test-ca.js';
import { VmClient } from '../../test/vm-client.js';
import { createLog } from '../log.js';
import { startProgram, type Program } from '../program.js';
import { loadManagerSettings } from '../settings.js';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const fakeQemu = fileURLToPath(new URL('../../test/fake-qemu.mjs', import.meta.url));
const newest = './versions/v0.9.0.proto';
const cleanups: (() => unknown)[] = [];
let ca: TestCa;
let server: PemPair;
let client: PemPair;

beforeAll(async () => {
  ca = await TestCa.create();
  [server, client] = await Promise.all([ca.issue('manager'), ca.issue('backends')]);
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-vms-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const files = { 'ca.pem': ca.rootPem, 'cert.pem': server.cert, 'key.pem': server.key };
  for (const [name, text] of Object.entries({ ...files, 'vars.fd': '' })) {
    await writeFile(join(folder, name), text);
  }
  return folder;
}

const environment = (folder: string): Record<string, string> => ({
  GLACIS_MANAGER_GENERATION: 'B',
  GLACIS_MANAGER_VM_DRIVER: 'stub',
  GLACIS_MANAGER_HTTP_PORT: '0',
  GLACIS_MANAGER_STATE_DIR: folder,
  MANAGER_GRPC_HOST: '127.0.0.1',
  MANAGER_GRPC_PORT: '0',
  MANAGER_GRPC_SERVER_CERT: join(folder, 'cert.pem'),
  MANAGER_GRPC_SERVER_KEY: join(folder, 'key.pem'),
  MANAGER_GRPC_CLIENT_CA_CERTS: join(folder, 'ca.pem'),
  COCOS_JAEGER_URL: '',
});
const withQemu = (folder: string): Record<string, string> => ({
  ...environment(folder),
  GLACIS_MANAGER_VM_DRIVER: 'qemu',
  MANAGER_QEMU_BIN_PATH: fakeQemu,
  MANAGER_QEMU_TMP_FILE_LOC: join(folder, 'vms'),
  MANAGER_QEMU_OVMF_VARS_FILE: join(folder, 'vars.fd'),
  MANAGER_QEMU_HOST_FWD_RANGE: '16500-16600',
});

async function started(env: Record<string, string>): Promise<Program> {
  const settings = loadManagerSettings({ env });
  const program = await startProgram(settings, createLog('error'));
  cleanups.push(() => {
    program.manager.stop();
    return program.ended;
  });
  return program;
}

function clientOf(port: number | undefined, file = newest, tls = true): VmClient {
  const credentials = tls ? { ...client, ca: ca.rootPem } : undefined;
  const made = new VmClient(file, 'manager.ManagerService', `127.0.0.1:${port}`, credentials);
  cleanups.push(() => made.close());
  return made;
}

async function stand(env: Record<string, string> = {}): Promise<VmClient> {
  const program = await started({ ...environment(await newFolder()), ...env });
  return clientOf(program.grpcPort);
}

const unknown = (details: string): object => ({ code: status.UNKNOWN, details });

describe.each([
  ['v0.5.0', 'svm_id', 'SVMInfo'],
  ['v0.5.2', 'cvm_id', 'CVMInfo'],
  ['v0.8.0', 'cvm_id', 'CVMInfo'],
  ['v0.9.0', 'cvm_id', 'CVMInfo'],
])('backends.md 8: a client of %s', (version, idName, info) => {
  it('creates a VM, asks about it and removes it, and hears the texts of managers', async () => {
    const program = await started({
      ...environment(await newFolder()),
      MANAGER_EOS_VERSION: 'eos',
    });
    const { grpcPort } = program;
    const vms = clientOf(grpcPort, `./versions/${version}.proto`);
    const created = await vms.call('CreateVm', { agent_cvm_server_url: 'host:7018' });
    const id = created[idName] as string;
    expect(created).toEqual({ forwarded_port: '6100', [idName]: id });
    expect(await vms.call(info, { id })).toMatchObject({
      id,
      cpu_type: 'stub',
      eos_version: 'eos',
    });
    expect(await vms.call('AttestationPolicy', { id })).toEqual({ id, info: Buffer.from('{}') });
    expect(await vms.call('RemoveVm', { [idName]: id })).toEqual({});
    await expect(vms.call('RemoveVm', { [idName]: id })).rejects.toMatchObject(
      unknown('entity not found'),
    );
    await expect(vms.call(info, { id })).rejects.toMatchObject(unknown('entity not found'));
    await expect(vms.call('AttestationPolicy', { id })).rejects.toMatchObject(
      unknown(`computationId ${id} not found`),
    );
  });
});

describe('bounds', () => {
  it('MANAGER_MAX_VMS', async () => {
    const vms = await stand({ MANAGER_MAX_VMS: '2' });
    const [first] = await Promise.all([vms.call('CreateVm'), vms.call('CreateVm')]);
    await expect(vms.call('CreateVm')).rejects.toMatchObject(
      unknown('maximum number of VMs exceeded'),
    );
    await vms.call('RemoveVm', { cvm_id: first?.['cvm_id'] });
    await vms.call('CreateVm');
  });

  it('a VM is removed after its ttl', async () => {
    const vms = await stand({ MANAGER_MAX_VMS: '1' });
    const { cvm_id: id } = await vms.call('CreateVm', { ttl: '100ms' });
    const gone = (error: { details: string }): boolean => error.details === 'entity not found';
    await waitFor(() => vms.call('CVMInfo', { id }).then(() => false, gone));
    await vms.call('CreateVm', { ttl: '1h' });
  });

  it('a ttl that is none and a value with a line feed are refused, and take no place', async () => {
    const vms = await stand({ MANAGER_MAX_VMS: '1' });
    await expect(vms.call('CreateVm', { ttl: 'soon' })).rejects.toMatchObject(
      unknown('time: invalid duration "soon"'),
    );
    await expect(vms.call('CreateVm', { aws_region: 'a\nB=1' })).rejects.toMatchObject(
      unknown('AWS_REGION holds control characters'),
    );
    await vms.call('CreateVm');
  });

  it('a VM that cannot be started tells why', async () => {
    const folder = await newFolder();
    const program = await started({
      ...withQemu(folder),
      MANAGER_QEMU_KERNEL_CMDLINE: 'fails',
    });
    await expect(clientOf(program.grpcPort).call('CreateVm')).rejects.toMatchObject(
      unknown('the guest ended: qemu: could not open kernel'),
    );
    expect(await readdir(join(folder, 'vms'))).toEqual([]);
  });
});

describe('backends.md 14: a manager that is called', () => {
  it('gives the guest its identity and its environment in two shares', async () => {
    const folder = await newFolder();
    const program = await started(withQemu(folder));
    const vms = clientOf(program.grpcPort);
    const { cvm_id: id } = await vms.call('CreateVm', {
      agent_log_level: 'info',
      agent_cvm_server_ca_cert: Buffer.from('roots'),
      agent_cvm_client_key: Buffer.from('key'),
      agent_cvm_client_cert: Buffer.from('cert'),
      agent_cvm_server_url: 'host:7018',
      aa_kbs_params: 'cc_kbc::http://kbs',
    });
    const [vm] = await readdir(join(folder, 'vms'));
    const read = (file: string): Promise<string> =>
      readFile(join(folder, 'vms', vm ?? '', file), 'utf8');
    expect(await read('env_share/environment')).toBe(
      [
        'AGENT_LOG_LEVEL=info',
        'AGENT_CVM_GRPC_URL=host:7018',
        'AGENT_CVM_GRPC_CLIENT_CERT=/etc/certs/cert.pem',
        'AGENT_CVM_GRPC_CLIENT_KEY=/etc/certs/key.pem',
        'AGENT_CVM_GRPC_SERVER_CA_CERTS=/etc/certs/ca.pem',
        `AGENT_CVM_ID=${String(id)}`,
        'AA_KBS_PARAMS=cc_kbc::http://kbs',
        '',
      ].join('\n'),
    );
    expect(await read('certs_share/key.pem')).toBe('key');
    expect(await read('certs_share/ca.pem')).toBe('roots');
    program.manager.stop();
    await program.ended;
    expect(await readdir(join(folder, 'vms'))).toEqual([]);
  });

  it('describes itself by reflection and tells of its health', async () => {
    const { grpcPort, httpPort } = await started(environment(await newFolder()));
    const tls = { ...client, ca: ca.rootPem };
    const reflection = new VmClient(
      '../../../proto/reflection/v1/reflection.proto',
      'grpc.reflection.v1.ServerReflection',
      `127.0.0.1:${grpcPort}`,
      tls,
    );
    const replies = await reflection.talk(
      'ServerReflectionInfo',
      { list_services: '*' },
      { file_containing_symbol: 'manager.ManagerService' },
      { file_containing_symbol: 'manager.Unknown' },
    );
    expect(replies[0]).toMatchObject({
      list_services_response: {
        service: [
          { name: 'manager.ManagerService' },
          { name: 'grpc.health.v1.Health' },
          { name: 'grpc.reflection.v1.ServerReflection' },
        ],
      },
    });
    const { file_descriptor_response: found } = replies[1] as {
      file_descriptor_response: { file_descriptor_proto: Buffer[] };
    };
    const file = found.file_descriptor_proto
      .map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes))
      .toReversed();
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }));
    const service = registry.getService('manager.ManagerService');
    expect(service?.methods.map(({ name }) => name)).toEqual([
      'CreateVm',
      'RemoveVm',
      'CVMInfo',
      'SVMInfo',
      'AttestationPolicy',
    ]);
    expect(replies[2]).toMatchObject({ error_response: { error_code: status.NOT_FOUND } });
    reflection.close();
    const health = new VmClient(
      '../../../proto/health/v1/health.proto',
      'grpc.health.v1.Health',
      `127.0.0.1:${grpcPort}`,
      tls,
    );
    const serving = 1;
    const asked = { service: 'manager.ManagerService' };
    expect(await health.call('Check', asked)).toEqual({ status: serving });
    await expect(health.call('Check', { service: 'x' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    health.close();
    expect((await fetch(`http://127.0.0.1:${httpPort}/readyz`)).status).toBe(200);
  });

  it('lets nobody in without a certificate of its CA', async () => {
    const { grpcPort } = await started(environment(await newFolder()));
    await expect(clientOf(grpcPort, newest, false).call('CreateVm')).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
  });

  it.each([
    [{ MANAGER_GRPC_SERVER_CERT: '' }, 'go together'],
    [
      {
        MANAGER_GRPC_SERVER_CERT: '',
        MANAGER_GRPC_SERVER_KEY: '',
        MANAGER_GRPC_CLIENT_CA_CERTS: '',
      },
      'MANAGER_GRPC_INSECURE',
    ],
    [{ MANAGER_GRPC_SERVER_CERT: '/nowhere' }, 'certificate files'],
  ])('refuses to start with %j', async (env, reason) => {
    const all = { ...environment(await newFolder()), ...(env as Record<string, string>) };
    await expect(started(all)).rejects.toThrow(reason);
  });

  it('speaks plaintext only when told so', async () => {
    const without = {
      MANAGER_GRPC_SERVER_CERT: '',
      MANAGER_GRPC_SERVER_KEY: '',
      MANAGER_GRPC_CLIENT_CA_CERTS: '',
      MANAGER_GRPC_INSECURE: 'true',
    };
    const program = await started({ ...environment(await newFolder()), ...without });
    await clientOf(program.grpcPort, newest, false).call('CreateVm');
  });

  it('killed and started again it knows its VMs, with what is left of their time', async () => {
    const folder = await newFolder();
    const first = await startedProcess(withQemu(folder));
    const vms = clientOf(first.port);
    const { cvm_id: kept } = await vms.call('CreateVm', { ttl: '1h' });
    const { cvm_id: brief } = await vms.call('CreateVm', { ttl: '3s' });
    await first.kill();
    const second = clientOf((await started(withQemu(folder))).grpcPort);
    expect(await second.call('CVMInfo', { id: kept })).toMatchObject({ id: kept });
    const gone = (error: { details: string }): boolean => error.details === 'entity not found';
    await waitFor(() => second.call('CVMInfo', { id: brief }).then(() => false, gone));
    await second.call('RemoveVm', { cvm_id: kept });
    expect(await readdir(join(folder, 'vms'))).toEqual([]);
  });
});

/** The real program, to be killed. */
async function startedProcess(
  env: Record<string, string>,
): Promise<{ port: number; kill: () => Promise<unknown> }> {
  const child = spawn(process.execPath, [main], { env: { PATH: process.env['PATH'], ...env } });
  cleanups.push(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  const port = await waitFor(() => /"grpcPort":(\d+)/.exec(output)?.[1], {
    what: 'the port',
    deadlineMs: 30_000,
  });
  const exit = once(child, 'exit');
  return {
    port: Number(port),
    kill: () => {
      child.kill('SIGKILL');
      return exit;
    },
  };
}
