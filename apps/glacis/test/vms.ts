import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openssl, temporaryFolder } from '@glacis/testbed';
import { Child } from '../src/demo/child.js';
import type { RunningSuite } from './running-suite.js';

const script = fileURLToPath(new URL('../../manager/dist/main.js', import.meta.url));
const tenMinutesMs = 600_000;

interface RunningManager {
  process: Child;
  port: string;
}

const refused = (status: number, text: string): RegExp => new RegExp(`: ${status} .*${text}`, 's');

/** Hosts whose manager is called, on a suite that runs (`backends.md` 8); the manager is the real program. */
export function vms(suite: () => RunningSuite): void {
  describe('backends.md 8: a manager that is called', () => {
    let folder: string;
    let manager: RunningManager;

    beforeAll(async () => {
      folder = await temporaryFolder();
      // Each side trusts the certificate of the other and no other one.
      await Promise.all(['manager', 'backends'].map(makeCertificate));
      manager = await startManager();
    });
    afterAll(() => manager?.process.stop());

    const keyOf = (name: string): string => join(folder, `${name}.key`);
    const certificateOf = (name: string): string => join(folder, `${name}.pem`);

    async function makeCertificate(name: string): Promise<void> {
      const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'.split(' ');
      const files = ['-keyout', keyOf(name), '-out', certificateOf(name)];
      const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
      const { code, stderr } = await openssl(['req', '-x509', ...key, ...files, ...names]);
      if (code !== 0) throw new Error(stderr);
    }

    /** The reference manager, to be called by the suite. @param port 0 takes a free one */
    async function startManager(port = '0'): Promise<RunningManager> {
      const process = Child.start(script, {
        GLACIS_MANAGER_GENERATION: 'B',
        GLACIS_MANAGER_VM_DRIVER: 'stub',
        GLACIS_MANAGER_HTTP_PORT: '0',
        GLACIS_MANAGER_STATE_DIR: folder,
        MANAGER_GRPC_HOST: '127.0.0.1',
        MANAGER_GRPC_PORT: port,
        MANAGER_GRPC_SERVER_CERT: certificateOf('manager'),
        MANAGER_GRPC_SERVER_KEY: keyOf('manager'),
        MANAGER_GRPC_CLIENT_CA_CERTS: certificateOf('backends'),
        MANAGER_MAX_VMS: '1',
        MANAGER_EOS_VERSION: 'eos 1.0',
        COCOS_JAEGER_URL: '',
      });
      const [, taken = ''] = await process.line(/"grpcPort":(\d+)/, 30_000);
      return { process, port: taken };
    }

    const get = (path: string): Promise<Record<string, unknown>> => suite().api.json('GET', path);

    /** A host whose manager is the one that runs. */
    async function host(name: string): Promise<string> {
      const reply = await suite().api.call('POST', '/backends', { name });
      const path = String(reply.headers.get('location'));
      const set = await suite().api.call('PUT', `${path}/manager`, {
        address: `127.0.0.1:${manager.port}`,
        ca: await readFile(certificateOf('manager'), 'utf8'),
        certificate: await readFile(certificateOf('backends'), 'utf8'),
        key: await readFile(keyOf('backends'), 'utf8'),
        platforms: ['sev_snp'],
      });
      expect([set.status, await set.text()]).toEqual([200, '']);
      return path;
    }

    /** Path of a new VM. */
    async function vmOn(hostPath: string, name: string): Promise<string> {
      const reply = await suite().api.call('POST', `${hostPath}/vms`, { name });
      expect([reply.status, await reply.text()]).toEqual([201, '']);
      return String(reply.headers.get('location'));
    }

    it('makes a VM over mutual TLS, tells of it and removes it', async () => {
      const hostPath = await host('host');
      const path = await vmOn(hostPath, 'vm');
      const id = path.slice(`${hostPath}/vms/`.length);
      const vm = await get(path);
      const { cvm_id: cvmId, attempted_at: attemptedAt, expires_at: expiresAt } = vm;
      expect(vm).toEqual({
        id,
        state: 'running',
        cvm_id: expect.any(String),
        forwarded_port: '6100',
        attempted_at: expect.any(String),
        expires_at: expect.any(String),
      });
      const lifeMs = Date.parse(String(expiresAt)) - Date.parse(String(attemptedAt));
      expect(lifeMs).toBeGreaterThanOrEqual(tenMinutesMs);
      expect(await get(`${hostPath}/vms`)).toMatchObject({ total: 1, vms: [vm] });
      expect(await get(`/backends/${id}`)).toMatchObject({ name: 'vm', entity_type: 'cvm' });
      expect(await get(`${path}/information`)).toEqual({
        id: cvmId,
        ovmf_version: '',
        cpu_num: 0,
        cpu_type: 'stub',
        kernel_cmd: '',
        eos_version: 'eos 1.0',
      });
      expect(await get(`${path}/attestation-policy`)).toEqual({ id: cvmId, info: 'e30=' });
      await expect(vmOn(hostPath, 'one too many')).rejects.toThrow(
        refused(409, 'maximum number of VMs exceeded'),
      );
      const certificates = (): Promise<unknown> => get(`/certs?entity_id=${id}`);
      expect(await certificates()).toMatchObject({ total: 1, certificates: [{ Revoked: false }] });

      const removed = await suite().api.call('DELETE', path);
      expect([removed.status, await removed.text()]).toEqual([204, '']);
      expect(await certificates()).toMatchObject({ total: 1, certificates: [{ Revoked: true }] });
      for (const gone of [path, `/backends/${id}`]) {
        await expect(suite().api.call('GET', gone)).rejects.toThrow(refused(404, ''));
      }
    });

    it('is killed between two calls: 503 until it is back, then 404 for what it lost', async () => {
      const hostPath = await host('killed host');
      const path = await vmOn(hostPath, 'lost vm');
      manager.process.kill();
      await manager.process.exited;
      const silent = refused(503, 'the manager does not answer');
      await Promise.all([
        expect(get(`${path}/information`)).rejects.toThrow(silent),
        expect(suite().api.call('DELETE', path)).rejects.toThrow(silent),
        expect(vmOn(hostPath, 'never made')).rejects.toThrow(silent),
      ]);
      expect(await get(`${hostPath}/vms`)).toMatchObject({ total: 1, vms: [{ state: 'running' }] });

      // VMs of the stub end with its process.
      manager = await startManager(manager.port);
      const unknown = refused(404, 'entity not found');
      await expect(get(`${path}/information`)).rejects.toThrow(unknown);
      await expect(suite().api.call('DELETE', path)).rejects.toThrow(unknown);
      expect(await get(`${hostPath}/vms`)).toMatchObject({ total: 0 });
      await suite().api.call('DELETE', await vmOn(hostPath, 'never made'));
    });
  });
}
