// TeeManagers from their creation to their end: a real API server with its controllers, the suite and the operator as
// processes, the operator with the rights of the committed RBAC. Managers are clients of our own (pretend-kubelet.ts).
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { builtIns } from '@glacis/kube';
import { waitFor } from '@glacis/runtime';
import { jest } from '@jest/globals';
import type { TeeManager } from '../src/tee-managers/tee-manager.js';
import type { OperatorProcess } from './operator-process.js';
import { condition, isCurrent, World } from './world.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

let world: World;
let operator: OperatorProcess;

beforeAll(async () => {
  world = await World.open();
  operator = await world.operator();
  await operator.start();
});
afterAll(async () => {
  await operator?.daemon.stop();
  await world?.close();
});

const reasonOf =
  (type: string, reason: string) =>
  (manager: Parameters<typeof condition>[0]): boolean =>
    condition(manager, type)?.reason === reason;

test('backends.md 15: created, registered, certified, connected', async () => {
  await world.create('first');
  const manager = await world.running('first');
  const { status } = manager;
  expect(status).toMatchObject({ verdict: 'claimed', tenant: 'default', observedGeneration: 1 });
  expect(status?.conditions?.map(({ type, status: value }) => [type, value])).toEqual(
    ['Registered', 'CertificateReady', 'PodReady', 'Connected', 'Ready'].map((type) => [
      type,
      'True',
    ]),
  );
  expect(await world.backend(manager)).toMatchObject({
    name: 'first',
    address: 'first-0.first.default.svc',
    protocol: 'seed',
    active: true,
    certificate_serial: status?.certificateSerial,
  });
  const files = await world.files('first');
  expect(Object.keys(files).toSorted()).toEqual(['ca.pem', 'cert.pem', 'key.pem']);
  const roots = files['ca.pem']?.match(
    /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g,
  );
  expect(
    roots?.map((pem) => new X509Certificate(pem)).every((ca) => ca.subject === ca.issuer),
  ).toBe(true);
  const leaf = new X509Certificate(files['cert.pem'] ?? '');
  expect(leaf.checkPrivateKey(createPrivateKey(files['key.pem'] ?? ''))).toBe(true);
  expect(leaf.subjectAltName).toContain('DNS:first-0.first.default.svc');
});

test('backends.md 15.4: a headless Service, and a Pod as Pod Security restricted has it', async () => {
  const set = await world.readAs(builtIns.statefulSets, 'first');
  expect(set.spec).toMatchObject({ podManagementPolicy: 'Parallel', replicas: 1 });
  expect(await world.readAs(builtIns.services, 'first')).toMatchObject({
    spec: { clusterIP: 'None', publishNotReadyAddresses: true },
  });
  const { template } = set.spec ?? {};
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'x', namespace: 'strict' },
    spec: template?.spec,
  };
  const enforce = 'pod-security.kubernetes.io/enforce=restricted';
  await world.cluster.kubectl('create', 'namespace', 'strict');
  await world.cluster.kubectl('label', 'namespace', 'strict', enforce);
  await expect(world.cluster.apply(pod)).resolves.toBeUndefined();
});

test('backends.md 15.5: a renewed certificate keeps its key; the former is revoked once the new one is in use', async () => {
  await world.create('renewed', { certificate: { ttl: '1h' } });
  const before = await world.running('renewed');
  const [old, key] = [before.status?.certificateSerial, (await world.files('renewed'))['key.pem']];
  await world.change('renewed', { spec: { certificate: { renewBefore: '59m57s' } } });
  await world.until('renewed', ({ status }) => status?.certificateSerial !== old);
  await world.change('renewed', { spec: { certificate: { renewBefore: null } } });
  const after = await world.running('renewed');
  expect((await world.files('renewed'))['key.pem']).toBe(key);
  const { certificateSerial: serial, backendId } = after.status ?? {};
  expect(await world.valid(backendId)).toEqual([serial]);
  expect(await world.certificate(old)).toMatchObject({
    status: 'revoked',
    revocation_reason: 'superseded',
  });
  expect(await world.backend(after)).toMatchObject({ active: true, certificate_serial: serial });
});

test('backends.md 15.5: another algorithm, another address and a lost Secret each make a new key', async () => {
  await world.create('rekeyed');
  const serials = [(await world.running('rekeyed')).status?.certificateSerial];
  const another = async (): Promise<string> => {
    await world.until('rekeyed', ({ status }) => !serials.includes(status?.certificateSerial));
    const { status } = await world.running('rekeyed');
    serials.push(status?.certificateSerial);
    return (await world.files('rekeyed'))['key.pem'] ?? '';
  };
  await world.change('rekeyed', { spec: { certificate: { keyAlgorithm: 'Ed25519' } } });
  expect(createPrivateKey(await another()).asymmetricKeyType).toBe('ed25519');
  await world.change('rekeyed', {
    spec: { backend: { name: 'moved', address: '192.0.2.7:7001' } },
  });
  await another();
  expect(await world.backend(await world.read('rekeyed'))).toMatchObject({
    name: 'moved',
    address: '192.0.2.7:7001',
  });
  const leaf = new X509Certificate((await world.files('rekeyed'))['cert.pem'] ?? '');
  expect(leaf.subjectAltName).toContain('IP Address:192.0.2.7');
  await world.cluster.kubectl('delete', 'secret', 'rekeyed-manager-tls');
  await world.annotate('rekeyed', 'tee.glacis.dev/restart=now');
  await another();
  const { status } = await world.running('rekeyed');
  expect(await world.valid(status?.backendId)).toContain(status?.certificateSerial);
});

test('backends.md 15.5: a name that is not allowed is said, and the certificate in use goes on', async () => {
  await world.create('named', { backend: { name: 'named', address: 'localhost.localdomain' } });
  await world.running('named');
  await world.change('named', { spec: { backend: { address: '224.0.0.1' } } });
  const refused = await world.until('named', reasonOf('CertificateReady', 'NameNotAllowed'));
  expect(condition(refused, 'Ready')).toMatchObject({ status: 'False', reason: 'NameNotAllowed' });
  expect(await world.backend(refused)).toMatchObject({ active: true, address: '224.0.0.1' });
  await world.change('named', { spec: { backend: { address: '192.0.2.8' } } });
  await world.running('named');
});

test('backends.md 15.7: revoked from outside it stops, until another is asked for', async () => {
  await world.create('revoked');
  const { status } = await world.running('revoked');
  const serial = status?.certificateSerial;
  await world.suite.call('PATCH', `/certs/${serial}/revoke`, { reason: 'keyCompromise' });
  const stopped = await world.until('revoked', reasonOf('CertificateReady', 'Revoked'));
  expect(stopped.status).toMatchObject({ phase: 'Failed', certificateSerial: serial });
  await waitFor(
    async () =>
      (await world.cluster.kubectl('get', 'pod', 'revoked-0', '--ignore-not-found')) === '',
    { everyMs: 250 },
  );
  // A lost Secret is no way around it.
  await world.cluster.kubectl('delete', 'secret', 'revoked-manager-tls');
  await world.annotate('revoked', 'example.com/look=again');
  await world.until('revoked', reasonOf('CertificateReady', 'Revoked'));
  expect(await world.valid(status?.backendId)).toEqual([]);
  await world.annotate('revoked', 'tee.glacis.dev/reissue=1');
  const again = await world.running('revoked');
  expect(again.status?.certificateSerial).not.toBe(serial);
});

test('backends.md 15.8: terminated by a user it stays away, until the spec changes or a restart is asked for', async () => {
  await world.create('ended');
  const { status } = await world.running('ended');
  const terminate = (): Promise<unknown> =>
    world.suite.call('POST', `/backends/terminate/${status?.backendId}/1`, {});
  await terminate();
  const ended = await world.until('ended', ({ status: now }) => now?.phase === 'Terminated');
  expect(condition(ended, 'Connected')).toMatchObject({
    status: 'False',
    reason: 'TerminatedByUser',
  });
  expect((await world.readAs(builtIns.statefulSets, 'ended')).spec?.replicas).toBe(0);
  await world.annotate('ended', 'tee.glacis.dev/restart=1');
  await world.running('ended');
  await terminate();
  await world.until('ended', ({ status: now }) => now?.phase === 'Terminated');
  await world.change('ended', { spec: { protocol: 'v0.4' } });
  await world.until(
    'ended',
    (manager) => isCurrent(manager) && manager.status?.phase !== 'Terminated',
  );
});

test("backends.md 15.2: another's backend is never taken over", async () => {
  await world.suite.call('POST', '/backends', { name: 'taken', address: 'elsewhere.example' });
  await world.create('taken');
  const refused = await world.until('taken', reasonOf('Registered', 'NameConflict'));
  expect(refused.status?.backendId).toBeUndefined();
  expect(condition(refused, 'Registered')?.message).toContain("'taken'");
  await world.change('taken', { spec: { backend: { name: 'free' } } });
  await world.running('taken');
});

test('backends.md 15.1: the tenant is the one of the namespace', async () => {
  await world.cluster.kubectl('create', 'namespace', 'other');
  await world.cluster.kubectl('label', 'namespace', 'other', 'glacis.dev/tenant=tenant-b');
  await world.create('first', {}, 'other');
  const there = await waitFor(
    async () => {
      const manager = await world.read('first', 'other');
      return manager.status?.phase === 'Running' && manager;
    },
    { deadlineMs: 60_000 },
  );
  expect(there.status?.tenant).toBe('tenant-b');
  await expect(world.backend(there)).rejects.toThrow('404');
});

test('backends.md 16.9: the device of the TEE is requested where a node offers it, and not elsewhere', async () => {
  const device = 'sev-snp.amd.com/esids';
  const marked = { 'feature.node.kubernetes.io/cpu-security.sev.snp.enabled': 'true' };
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'snp-1', labels: marked } };
  await world.cluster.apply(node);
  const status = { capacity: { [device]: '5' }, allocatable: { [device]: '5' } };
  const patch = JSON.stringify({ status });
  await world.cluster.kubectl('patch', 'node', 'snp-1', '--subresource=status', '-p', patch);
  const resources = async (tee: string): Promise<unknown> => {
    await world.create(tee, { tee });
    await world.running(tee);
    const set = await world.readAs(builtIns.statefulSets, tee);
    return set.spec?.template.spec?.containers[0]?.resources;
  };
  expect(await resources('snp')).toEqual({
    limits: { [device]: '1' },
    requests: { [device]: '1' },
  });
  expect(await resources('tdx')).toEqual({});
  await world.cluster.kubectl('delete', 'node', 'snp-1');
});

test('objects of the same names that are not ours are left alone', async () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'mine', namespace: 'default' },
    spec: { ports: [{ port: 80 }] },
  };
  await world.cluster.apply(service);
  await world.create('mine');
  const held = await world.until('mine', reasonOf('PodReady', 'ObjectConflict'));
  expect(held.status?.phase).toBe('Failed');
  expect((await world.readAs(builtIns.services, 'mine')).spec?.clusterIP).not.toBe('None');
});

test('backends.md 15.7: when the issuer was revoked, another key and certificate come at once', async () => {
  await world.create('under-ca');
  const before = (await world.running('under-ca')).status?.certificateSerial;
  const { issuers } = await world.suite.call<{ issuers: Record<string, string>[] }>(
    'GET',
    '/certs/ca/issuers',
  );
  const current = issuers.find(({ kind, state }) => kind === 'intermediate' && state === 'current');
  await world.suite.call('PATCH', `/certs/ca/${current?.['issuer_id']}/revoke`);
  const isAnother = ({ status }: TeeManager): boolean =>
    status?.phase === 'Running' && status.certificateSerial !== before;
  const after = await world.until('under-ca', isAnother);
  expect(await world.valid(after.status?.backendId)).toEqual([after.status?.certificateSerial]);
  // All the others as well.
  await waitFor(async () => (await world.read('rekeyed')).status?.phase === 'Running', {
    deadlineMs: 60_000,
  });
});

test('backends.md 15.9: deleted, it leaves neither certificate nor backend', async () => {
  const { status } = await world.read('renewed');
  await world.delete('renewed');
  await world.gone('renewed');
  await expect(world.suite.call('GET', `/backends/${status?.backendId}`)).rejects.toThrow('404');
  expect(await world.certificate(status?.certificateSerial)).toMatchObject({
    status: 'revoked',
    revocation_reason: 'cessationOfOperation',
  });
  const left = async (): Promise<boolean> => {
    const names = await world.cluster.kubectl('get', 'sts,svc,secret,pod', '-o', 'name');
    return !names.includes('renewed');
  };
  await waitFor(left, { deadlineMs: 60_000, everyMs: 250, what: 'what it owned to be gone' });
});

test('backends.md 15.9: without the suite it waits, and says how to let it go', async () => {
  await world.suite.daemon.stop();
  await world.create('late');
  const late = await world.until('late', reasonOf('Registered', 'SuiteUnreachable'));
  expect(late.status).toMatchObject({ phase: 'Pending' });
  await world.delete('first');
  const waits = await world.until('first', reasonOf('Ready', 'SuiteUnreachable'));
  expect(condition(waits, 'Ready')?.message).toContain('force-delete');
  expect(waits.metadata.finalizers).toEqual(['tee.glacis.dev/deregister']);
  await world.annotate('first', 'tee.glacis.dev/force-delete=true');
  await world.gone('first');
  await world.suite.daemon.start();
  await world.running('late');
});
