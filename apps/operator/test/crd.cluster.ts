// The custom resource definition against the real API server: what `kubectl` refuses, and with which field.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@glacis/testbed';
import { startKubernetes, type KubernetesCluster } from '@glacis/testbed/cluster';
import { jest } from '@jest/globals';
import { teeManagerDefinition } from '../src/tee-managers/tee-manager.crd.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

const repository = new URL('../../../', import.meta.url);
let cluster: KubernetesCluster;
let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  cluster = await startKubernetes();
  await cluster.apply(teeManagerDefinition);
  await cluster.kubectl('wait', '--for=condition=Established', 'crd/teemanagers.tee.glacis.dev');
});
afterAll(() => cluster?.stop());

type Members = Record<string, unknown>;
const good: Members = { backend: { name: 'host' }, tee: 'none' };
const teeManager = (spec: Members, name = 'host'): Members => ({
  apiVersion: 'tee.glacis.dev/v1alpha1',
  kind: 'TeeManager',
  metadata: { name, namespace: 'default' },
  spec,
});

/** What the API server says to it, without keeping it. */
async function answer(object: Members): Promise<string> {
  const file = join(folder, 'object.json');
  await writeFile(file, JSON.stringify(object));
  return cluster.kubectl('apply', '--dry-run=server', '-f', file).then(
    () => 'accepted',
    (error: Error) => error.message,
  );
}

const certificate = (members: Members): Members => ({ ...good, certificate: members });
const environment = (...list: Members[]): Members => ({ ...good, environment: list });
const toleration = (members: Members): Members => ({ ...good, tolerations: [members] });
const resources = (members: Members): Members => ({ ...good, resources: members });
const secretKeyRef = { name: 's', key: 'k' };

const wrong: [what: string, spec: Members, field: string][] = [
  ['no backend', { tee: 'none' }, 'spec.backend'],
  ['no name', { ...good, backend: {} }, 'spec.backend.name'],
  ['a blank name', { ...good, backend: { name: ' ' } }, 'spec.backend.name'],
  ['a name with a line feed', { ...good, backend: { name: 'a\nb' } }, 'spec.backend.name'],
  [
    'an address with a blank',
    { ...good, backend: { name: 'a', address: 'a b' } },
    'spec.backend.address',
  ],
  ['no tee', { backend: good['backend'] }, 'spec.tee'],
  ['an unknown tee', { ...good, tee: 'sgx' }, 'spec.tee'],
  ['an image with a blank', { ...good, image: 'a b' }, 'spec.image'],
  ['an unknown protocol', { ...good, protocol: 'v0.5' }, 'spec.protocol'],
  [
    'a limit that is no quantity',
    resources({ limits: { cpu: 'much' } }),
    'spec.resources.limits.cpu',
  ],
  [
    'a request above its limit',
    resources({ limits: { cpu: 1 }, requests: { cpu: '1500m' } }),
    'spec.resources.requests',
  ],
  ['a resource with a bad name', resources({ limits: { 'a b': 1 } }), 'spec.resources.limits'],
  ['claims, which need the Pod', resources({ claims: [{ name: 'x' }] }), 'spec.resources.claims'],
  ['a bad label value', { ...good, nodeSelector: { a: 'b c' } }, 'spec.nodeSelector.a'],
  ['a bad label key', { ...good, nodeSelector: { 'a b': 'c' } }, 'spec.nodeSelector'],
  ['an unknown effect', toleration({ key: 'a', effect: 'Never' }), 'spec.tolerations[0].effect'],
  ['a toleration of nothing', toleration({ operator: 'Equal' }), 'spec.tolerations[0].operator'],
  [
    'a value beside Exists',
    toleration({ key: 'a', operator: 'Exists', value: 'b' }),
    'spec.tolerations[0].value',
  ],
  [
    'seconds without NoExecute',
    toleration({ key: 'a', tolerationSeconds: 5 }),
    'spec.tolerations[0].tolerationSeconds',
  ],
  ['a bad runtime class', { ...good, runtimeClassName: 'Kata' }, 'spec.runtimeClassName'],
  ['a ttl in days', certificate({ ttl: '1d' }), 'spec.certificate.ttl'],
  ['a ttl in words', certificate({ ttl: '2 days' }), 'spec.certificate.ttl'],
  ['a short ttl', certificate({ ttl: '59s' }), 'spec.certificate.ttl'],
  ['renewBefore of nothing', certificate({ renewBefore: '0s' }), 'spec.certificate.renewBefore'],
  [
    'renewBefore of ttl',
    certificate({ ttl: '1h', renewBefore: '60m' }),
    'spec.certificate.renewBefore',
  ],
  [
    'an unknown key algorithm',
    certificate({ keyAlgorithm: 'RSA-1024' }),
    'spec.certificate.keyAlgorithm',
  ],
  [
    'a reserved variable',
    environment({ name: 'A' }, { name: 'MANAGER_GRPC_URL', value: 'x' }),
    'spec.environment[1].name',
  ],
  [
    'another',
    environment({ name: 'GLACIS_MANAGER_TEE', value: 'snp' }),
    'spec.environment[0].name',
  ],
  ['a variable twice', environment({ name: 'A' }, { name: 'A' }), 'spec.environment[1]'],
  ['a variable without a name', environment({ value: 'x' }), 'spec.environment[0].name'],
  ['a bad name of a variable', environment({ name: '1A' }), 'spec.environment[0].name'],
  [
    'value and valueFrom',
    environment({ name: 'A', value: 'x', valueFrom: { secretKeyRef } }),
    'spec.environment[0]',
  ],
  [
    'two sources',
    environment({ name: 'A', valueFrom: { secretKeyRef, configMapKeyRef: secretKeyRef } }),
    'spec.environment[0].valueFrom',
  ],
  [
    'a source without a key',
    environment({ name: 'A', valueFrom: { secretKeyRef: { name: 's' } } }),
    'spec.environment[0].valueFrom.secretKeyRef.key',
  ],
  ['a misspelt member', { ...good, nodeSelectors: {} }, 'spec.nodeSelectors'],
  ['a misspelt member below', certificate({ tll: '1h' }), 'spec.certificate.tll'],
];

test.each(wrong)('backends.md 15: %s is refused with the field', async (_, spec, field) => {
  expect(await answer(teeManager(spec))).toContain(field);
});

test.each(['1host', 'host.domain', 'host-', 'a'.repeat(53)])(
  'backends.md 15: the name %s is refused, as it names a Service',
  async (name) => {
    expect(await answer(teeManager(good, name))).toMatch(/metadata\.name/);
  },
);

const right: [what: string, spec: Members][] = [
  ['the least', good],
  ['an IPv6 address with a port', { ...good, backend: { name: 'a', address: '[fe80::1]:7001' } }],
  ['an IPv6 address', { ...good, backend: { name: 'a', address: '2001:db8::1' } }],
  ['a host name', { ...good, backend: { name: 'a b', address: 'host3.example' } }],
  ['durations of Go', certificate({ ttl: '1h30m', renewBefore: '0.5h' })],
  ['renewBefore beside the default', certificate({ renewBefore: '2159h59m' })],
  ['a key algorithm alone', certificate({ keyAlgorithm: 'Ed25519' })],
  [
    'devices',
    resources({
      limits: { 'sev-snp.amd.com/esids': 1 },
      requests: { 'sev-snp.amd.com/esids': '1' },
    }),
  ],
  [
    'amounts',
    resources({ limits: { memory: '2Gi', cpu: (1.5).toString() }, requests: { memory: '1.5Gi' } }),
  ],
  [
    'tolerations',
    toleration({
      key: 'tee.example/only',
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 5,
    }),
  ],
  ['one that tolerates all', toleration({ operator: 'Exists' })],
  [
    'variables of all kinds',
    environment(
      { name: 'A' },
      { name: 'B', value: '' },
      { name: 'C', valueFrom: { secretKeyRef } },
      { name: 'D', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      { name: 'E', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
    ),
  ],
];

test.each(right)('backends.md 15: %s: accepted', async (_, spec) => {
  expect(await answer(teeManager(spec))).toBe('accepted');
});

test('backends.md 15: defaults are those that depend on nothing; tee never changes; the short name works', async () => {
  await cluster.apply(teeManager(good));
  expect(JSON.parse(await cluster.kubectl('get', 'teem', 'host', '-o', 'json'))).toMatchObject({
    spec: { ...good, protocol: 'seed', certificate: { ttl: '2160h', keyAlgorithm: 'ECDSA-P256' } },
  });
  const changed = await answer(teeManager({ ...good, tee: 'snp' }));
  expect(changed).toMatch(/spec\.tee: Invalid value: .*cannot be changed/);
  const columns = (await cluster.kubectl('get', 'teem', '-o', 'wide')).split('\n')[0];
  expect(columns?.split(/\s+/).filter(Boolean)).toEqual([
    'NAME',
    'BACKEND',
    'TEE',
    'VERDICT',
    'PHASE',
    'CONNECTED',
    'SERIAL',
    'AGE',
  ]);
  await cluster.kubectl('delete', 'teem', 'host');
});

test('the sample is accepted', async () => {
  const file = new URL('k8s/samples/teemanager.yaml', repository).pathname;
  await cluster.kubectl('apply', '--dry-run=server', '-f', file);
  expect(await readFile(file, 'utf8')).toContain('tee: snp');
});
