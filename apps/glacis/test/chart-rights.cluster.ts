// backends.md 15, stack.md: what the accounts of the chart may do, as the API server tells it, is what its README says.
import { startKubernetes, type KubernetesCluster } from '@glacis/testbed/cluster';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chartFolder } from './chart.js';

const namespace = 'glacis';
const served = 'tees';
const apart = ['--set=postgres.secretName=postgres', '--set=kafka.brokers=kafka:9092'];

let cluster: KubernetesCluster;
/** Of everybody who is somebody. */
let common: string[];

/** `resource verbs` of each right, as `kubectl auth can-i --list` tells them. */
async function rightsOf(user: string, where: string): Promise<string[]> {
  const asked = ['auth', 'can-i', '--list', '--no-headers', `--as=${user}`, '-n', where];
  const told = (await cluster.kubectl(...asked)).split('\n').filter((line) => line.trim());
  return told.map((line) => {
    const [, resource = '', verbs = ''] = /^(\S*).*\[([^\]]*)\]\s*$/.exec(line) ?? [];
    return `${resource} ${verbs.split(' ').toSorted().join(' ')}`;
  });
}

async function ownRights(component: string, where = namespace): Promise<string[]> {
  const all = await rightsOf(`system:serviceaccount:${namespace}:glacis-${component}`, where);
  return all.filter((right) => !common.includes(right)).toSorted();
}

/** The table of the README, without what holds elsewhere. */
async function documented(...places: string[]): Promise<string[]> {
  const readme = await readFile(join(chartFolder, 'README.md'), 'utf8');
  const rows = readme.split('<!-- rights: generated -->')[1]!.split('<!-- rights: end -->')[0]!;
  return [...rows.matchAll(/^\| `(\S+)` +\| ([a-z, ]+?) +\| (.+?) +\|$/gm)]
    .filter(([, , , where = '']) => places.includes(where))
    .map(([, resource, verbs = '']) => `${resource} ${verbs.split(', ').toSorted().join(' ')}`)
    .toSorted();
}

const install = (...values: string[]): Promise<string> =>
  cluster.helm('upgrade', '--install', 'glacis', chartFolder, `-n=${namespace}`, ...values);

beforeAll(async () => {
  cluster = await startKubernetes();
  for (const name of [namespace, served]) await cluster.kubectl('create', 'namespace', name);
  common = await rightsOf('system:serviceaccount:default:default', namespace);
}, 3_600_000);
afterAll(() => cluster?.stop());

test('the operator may do what the table says, everywhere', async () => {
  await install();
  const [everywhere, own] = ['namespaces that it serves', 'its own namespace'];
  expect(await documented(everywhere)).not.toEqual([]);
  expect(await ownRights('operator')).toEqual(await documented(everywhere, own));
  expect(await ownRights('operator', 'default')).toEqual(await documented(everywhere));
  expect(await ownRights('suite')).toEqual([]);
});

test('services apart may do nothing', async () => {
  await install(...apart);
  for (const service of ['gateway', 'backends', 'certificates']) {
    expect(await ownRights(service)).toEqual([]);
  }
});

test('with operator.namespaces it may act in these alone, and read namespaces and nodes', async () => {
  await install(`--set=operator.namespaces={${served}}`);
  const read = ['namespaces get', 'nodes list'];
  expect(await ownRights('operator', served)).toEqual(
    await documented('namespaces that it serves'),
  );
  expect(await ownRights('operator', 'default')).toEqual(read);
  const own = await documented('its own namespace');
  expect(await ownRights('operator')).toEqual([...own, ...read].toSorted());
});

test('a second release leaves the definition of TeeManagers to the first, and an upgrade changes it', async () => {
  const crd = ['customresourcedefinition', 'teemanagers.tee.glacis.dev'];
  const owner = ['-o', 'jsonpath={.metadata.annotations.meta\\.helm\\.sh/release-namespace}'];
  await cluster.helm('install', 'glacis', chartFolder, `-n=${served}`);
  expect(await cluster.kubectl('get', ...crd, ...owner)).toBe(namespace);
  const names = ['-o', 'jsonpath={.spec.names.shortNames}'];
  const older = JSON.stringify({ spec: { names: { shortNames: ['old'] } } });
  await cluster.kubectl('patch', ...crd, '--type=merge', `--patch=${older}`);
  await install();
  expect(await cluster.kubectl('get', ...crd, ...names)).toBe('["teem"]');
  await cluster.helm('uninstall', 'glacis', `-n=${namespace}`);
  expect(await cluster.kubectl('get', ...crd, '-o', 'name')).toContain(crd[1]!);
});
