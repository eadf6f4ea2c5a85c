// A TeeManager with the real manager in its Pod on a real node, in a namespace that enforces Pod Security restricted.
import { glacisImage, startKubernetes, type KubernetesCluster } from '@glacis/testbed/cluster';
import { waitFor } from '@glacis/runtime';
import { jest } from '@jest/globals';
import type { OperatorProcess } from './operator-process.js';
import { World } from './world.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

let cluster: KubernetesCluster;
let world: World;
let operator: OperatorProcess;

beforeAll(async () => {
  const image = await glacisImage();
  cluster = await startKubernetes({ node: true, images: image.images });
  world = await World.around(cluster, { address: cluster.nodes?.machineAddress });
  const enforce = 'pod-security.kubernetes.io/enforce=restricted';
  await cluster.kubectl('label', 'namespace', 'default', enforce);
  operator = await world.operator({ env: { GLACIS_OPERATOR_MANAGER_IMAGE: image.name } });
  await operator.start();
});
afterAll(async () => {
  await operator?.daemon.stop();
  await world?.close();
});

test('backends.md 16.9: created, renewed, terminated, started again and deleted', async () => {
  const began = performance.now();
  await world.create('host');
  const first = await world.running('host');
  const seconds = (performance.now() - began) / 1000;
  process.stderr.write(`a TeeManager was connected after ${seconds.toFixed(1)} s\n`);
  expect(await world.backend(first)).toMatchObject({ active: true, protocol: 'seed' });

  await world.change('host', {
    spec: { certificate: { ttl: '1h', renewBefore: '59m45s', keyAlgorithm: 'Ed25519' } },
  });
  const old = first.status?.certificateSerial;
  await world.until('host', ({ status }) => status?.certificateSerial !== old);
  await world.change('host', { spec: { certificate: { renewBefore: null } } });
  const renewed = await world.running('host');
  const backend = await world.backend(renewed);
  expect(backend).toMatchObject({
    active: true,
    certificate_serial: renewed.status?.certificateSerial,
  });
  expect(await world.certificate(old)).toMatchObject({ status: 'revoked' });

  await world.suite.call('POST', `/backends/terminate/${backend.id}/1`, {});
  await world.until('host', ({ status }) => status?.phase === 'Terminated');
  const pods = (): Promise<string> => cluster.kubectl('get', 'pods', '-o', 'name');
  const podToEnd = { deadlineMs: 60_000, everyMs: 500, what: 'the Pod to end' };
  await waitFor(async () => (await pods()) === '', podToEnd);
  await world.annotate('host', 'tee.glacis.dev/restart=1');
  await world.running('host');

  await world.delete('host');
  await world.gone('host');
  await waitFor(async () => (await pods()) === '', podToEnd);
  expect(await world.valid(backend.id)).toEqual([]);
});
