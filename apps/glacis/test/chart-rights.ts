import { waitFor } from '@glacis/runtime';
import type { KubernetesCluster } from '@glacis/testbed/cluster';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chartFolder } from './chart.js';

const namespace = 'glacis';
const one = 'tees';
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

/** What the table of the README says of an account in one place. */
async function documented(account: string, ...places: string[]): Promise<string[]> {
  const readme = await readFile(join(chartFolder, 'README.md'), 'utf8');
  const rows = readme.split('<!-- rights: generated -->')[1]!.split('<!-- rights: end -->')[0]!;
  return [...rows.matchAll(/^\| (\S.*?) +\| `(\S+)` +\| ([a-z, ]+?) +\| (.+?) +\|$/gm)]
    .filter(([, who, , , where = '']) => who === account && places.includes(where))
    .map(([, , resource, verbs = '']) => `${resource} ${verbs.split(', ').toSorted().join(' ')}`)
    .toSorted();
}

const install = (...values: string[]): Promise<string> =>
  cluster.helm('upgrade', '--install', 'glacis', chartFolder, `-n=${namespace}`, ...values);

/** backends.md 15, stack.md: what the accounts of the chart may do, as the API server tells it, is what its README says. */
export function rightsOfTheChart(given: () => KubernetesCluster): void {
  beforeAll(async () => {
    cluster = given();
    for (const name of [namespace, one]) await cluster.kubectl('create', 'namespace', name);
    common = await rightsOf('system:serviceaccount:default:default', namespace);
  }, 60_000);

  const withoutGraphs = '--set=graphs.enabled=false';
  const [served, own, everywhere, registrations] = [
    'namespaces that it serves',
    'its own namespace',
    'everywhere',
    'its own registrations',
  ];

  test('the operator may do what the table says, everywhere', async () => {
    await install(withoutGraphs);
    expect(await documented('operator', served)).not.toEqual([]);
    expect(await ownRights('operator')).toEqual(await documented('operator', served, own));
    expect(await ownRights('operator', 'default')).toEqual(await documented('operator', served));
    expect(await ownRights('suite')).toEqual([]);
  });

  test('services apart may do nothing', async () => {
    await install(withoutGraphs, ...apart);
    for (const service of ['gateway', 'backends', 'certificates', 'graph-apps', 'jobs']) {
      expect(await ownRights(service)).toEqual([]);
    }
  });

  describe('parties as pods', () => {
    const jobs = `system:serviceaccount:${namespace}:glacis-jobs`;
    const asJobs = (...args: string[]): Promise<string> =>
      cluster.kubectl(...args, `--as=${jobs}`, '--dry-run=server');
    const party = 'glacis-party-x-0';

    beforeAll(async () => {
      await install(withoutGraphs, ...apart, '--set=jobs.parties.provider=aws');
      await cluster.kubectl('create', 'namespace', party);
    });

    test('jobs may do what the table says', async () => {
      const told = await documented('jobs, for pods of parties', everywhere);
      expect(told).not.toEqual([]);
      expect(await ownRights('jobs', party)).toEqual(told);
    });

    test('jobs makes and deletes nothing but in namespaces of parties', async () => {
      const secret = ['create', 'secret', 'generic', 'made'];
      // A policy takes a moment until it is heeded.
      const refused = async (): Promise<boolean> =>
        asJobs(...secret, '-n', 'default').then(() => false, isForbidden);
      await waitFor(refused, { deadlineMs: 60_000, what: 'the policy' });
      await expect(asJobs(...secret, '-n', party)).resolves.toContain('created');
      await expect(asJobs('delete', 'namespace', one)).rejects.toThrow('of parties only');
      await expect(asJobs('delete', 'namespace', party)).resolves.toContain('deleted');
      // Without the label of the standard.
      await expect(asJobs('create', 'namespace', 'glacis-party-x-1')).rejects.toThrow('restricted');
    });
  });

  const isForbidden = (error: unknown): boolean => String(error).includes('of parties only');

  test('with operator.namespaces it may act in these alone, and read namespaces and nodes', async () => {
    await install(withoutGraphs, `--set=operator.namespaces={${one}}`);
    const read = ['namespaces get', 'nodes list'];
    expect(await ownRights('operator', one)).toEqual(await documented('operator', served));
    expect(await ownRights('operator', 'default')).toEqual(read);
    const ownOnes = await documented('operator', own);
    expect(await ownRights('operator')).toEqual([...ownOnes, ...read].toSorted());
  });

  /** The verbs of all rules on a resource together. */
  function merged(rights: string[]): Record<string, string[]> {
    const verbs: Record<string, string[]> = {};
    for (const right of rights) {
      const [resource = '', ...allowed] = right.split(' ');
      verbs[resource] = [...new Set([...(verbs[resource] ?? []), ...allowed])].toSorted();
    }
    return verbs;
  }

  test('with graphs each account may do what the table says, and the operator what charts need as far as that is given', async () => {
    await install('--set=graphs.chartsRole=');
    const places = [served, everywhere, registrations];
    const forGraphs = await documented('operator, for graphs', ...places);
    const operator = [...(await documented('operator', ...places)), ...forGraphs];
    expect(merged(await ownRights('operator', 'default'))).toEqual(merged(operator));
    for (const [component, account] of [
      ['webhooks', 'webhooks'],
      ['suite', 'graph-apps'],
    ] as const) {
      const told = merged(await documented(account, ...places));
      expect(Object.keys(told)).not.toEqual([]);
      expect(merged(await ownRights(component))).toEqual(told);
    }
    await install('--set=graphs.chartsRole=edit');
    expect((await ownRights('operator', 'default')).join()).toContain('horizontalpodautoscalers');
  });

  test('a storage class that gives each claim a folder of its own is refused', async () => {
    const storageClass = (pathPattern: string): object => ({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: pathPattern.includes('namespace') ? 'apart' : 'shared' },
      provisioner: 'example.org/nfs',
      parameters: { pathPattern },
    });
    await cluster.apply(
      storageClass('${.PVC.namespace}/${.PVC.name}'),
      storageClass('${.PVC.name}'),
    );
    const className = '--set=graphs.storage.className=';
    await expect(install(`${className}apart`)).rejects.toThrow('share one: ${.PVC.name}');
    await install(`${className}apart`, '--set=graphs.storage.check=false');
    await install(`${className}shared`);
  });

  test('a second release leaves the definition of TeeManagers to the first, and an upgrade changes it', async () => {
    const crd = ['customresourcedefinition', 'teemanagers.tee.glacis.dev'];
    const owner = ['-o', 'jsonpath={.metadata.annotations.meta\\.helm\\.sh/release-namespace}'];
    await cluster.helm('install', 'glacis', chartFolder, `-n=${one}`);
    expect(await cluster.kubectl('get', ...crd, ...owner)).toBe(namespace);
    const names = ['-o', 'jsonpath={.spec.names.shortNames}'];
    const older = JSON.stringify({ spec: { names: { shortNames: ['old'] } } });
    await cluster.kubectl('patch', ...crd, '--type=merge', `--patch=${older}`);
    await install();
    expect(await cluster.kubectl('get', ...crd, ...names)).toBe('["teem"]');
    await cluster.helm('uninstall', 'glacis', `-n=${namespace}`);
    expect(await cluster.kubectl('get', ...crd, '-o', 'name')).toContain(crd[1]!);
  });
}
