// The verbs of graphs against a real API server with the definitions of the repository, and a webhook of the same rules.
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WebhookServer } from '@glacis/kube';
import { waitFor } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import { startKubernetes, type KubernetesCluster } from '@glacis/testbed/cluster';
import { jest } from '@jest/globals';
import { parse } from 'yaml';
import { logCases } from './graph-logs.js';
import { component, file, graph, type Stored } from './graph-objects.js';
import { startGraphRules } from './graph-rules.js';
import { glacis, type Ran } from './run.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

const serverPath = 'jsonpath={.clusters[0].cluster.server}';
const repository = new URL('../../../', import.meta.url).pathname;
let cluster: KubernetesCluster;
let webhooks: WebhookServer;
let folder: string;
const saved = { ...process.env };

beforeAll(async () => {
  folder = await temporaryFolder();
  cluster = await startKubernetes({ node: true });
  process.env['KUBECONFIG'] = cluster.admin.file;
});

afterAll(async () => {
  process.env = saved;
  await cluster?.stop();
  await webhooks?.stop();
});

/** For waits that start one for each look. */
const processes = { everyMs: 200 };

const run = (...argv: string[]): Promise<Ran> => glacis(argv);
const get = async (name: string, ...more: string[]): Promise<Stored> =>
  JSON.parse(await cluster.kubectl('get', 'rampartgraph', name, '-o', 'json', ...more)) as Stored;

test('without the API service: not installed, exit 1', async () => {
  const { code, err } = await run('graph', 'list');
  expect([code, err]).toEqual([1, expect.stringContaining('not installed')]);
});

describe('graph-apps.md 8', () => {
  beforeAll(async () => {
    const definitions = (await readdir(join(repository, 'k8s/crds'))).filter((name) =>
      name.startsWith('rampart'),
    );
    for (const name of definitions) {
      await cluster.kubectl('apply', '-f', join(repository, 'k8s/crds', name));
    }
    await cluster.kubectl('wait', '--for=condition=Established', 'crd', '--all');
    webhooks = await startGraphRules(cluster);
    const refused = await file(graph('probe', { components: { one: { wrong: true } } }));
    await waitFor(async () => (await run('graph', 'validate', '-f', refused)).code === 1);
    await cluster.kubectl('create', 'namespace', 'team');
  });

  test('create prints Namespace, Name and UID; values are merged; a second one is refused', async () => {
    const values = await file({ replicas: 2, extra: { a: 1 } });
    const path = await file(graph('made'));
    const { code, out } = await run('graph', 'create', '-f', path, '-v', values);
    const { metadata, spec } = await get('made');
    expect([code, out]).toEqual([0, `Namespace: default\nName: made\nUID: ${metadata.uid}\n`]);
    expect(spec.graph.components['one']?.config).toEqual({ replicas: 2, extra: { a: 1 } });
    const again = await run('graph', 'create', '-f', path);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('already exists')]);
  });

  test('a file namespace that differs from -n is an error message; without -n it counts', async () => {
    const path = await file(graph('placed', {}, 'team'));
    const other = await run('graph', 'create', '-f', path, '-n', 'default');
    expect([other.code, other.err]).toEqual([
      2,
      expect.stringContaining("'team' is not 'default'"),
    ]);
    expect(await run('graph', 'create', '-f', path)).toMatchObject({ code: 0 });
    expect((await get('placed', '-n', 'team')).metadata.namespace).toBe('team');
  });

  test('coded errors one per line, exit 1; bad usage exit 2', async () => {
    const needy = { ...component('one'), needs: ['nobody', 'one'] };
    const path = await file(graph('refused', { components: { one: needy } }));
    for (const verb of ['create', 'validate']) {
      const { code, out, err } = await run('graph', verb, '-f', path);
      expect([code, out]).toEqual([1, '']);
      const lines = err.trimEnd().split('\n');
      expect(lines.map((line) => line.split(' ')[0]).toSorted()).toEqual([
        'NEEDS_SELF',
        'NEEDS_UNKNOWN',
      ]);
      expect(lines[0]).toMatch(/^NEEDS_\w+ \/graph\/components\/one\/needs/);
    }
    const usage = [
      ['graph', 'create'],
      ['graph', 'nonsense'],
      ['graph', 'update'],
      ['graph', 'delete'],
      ['graph', 'delete', 'x', '--all'],
      ['graph', 'create', '-f', '/nowhere'],
      ['graph', 'create', '-f', await file({ kind: 'Pod' })],
      ['graph', 'list', '--context', 'nowhere'],
    ];
    for (const argv of usage) expect([argv, (await run(...argv)).code]).toEqual([argv, 2]);
  });

  test('an object of v1beta1 is sent as v1beta2', async () => {
    const old = { ...graph('old'), apiVersion: 'rampart.petuum.com/v1beta1' };
    const annotated = {
      ...old,
      metadata: { name: 'old', annotations: { 'glacis.dev/deploy': 'false' } },
    };
    expect(await run('graph', 'create', '-f', await file(annotated))).toMatchObject({ code: 0 });
    expect((await get('old')).spec.deploy).toBe(false);
  });

  test('update replaces with the current resourceVersion and keeps what others have put into the metadata', async () => {
    await run('graph', 'create', '-f', await file(graph('updated')));
    await cluster.kubectl('annotate', 'rampartgraph', 'updated', 'glacis.dev/app-version=3');
    const path = await file(graph('updated', { components: { two: component('two') } }));
    expect(await run('graph', 'update', '-f', path)).toMatchObject({
      code: 0,
      out: expect.stringContaining('Name: updated'),
    });
    const { metadata, spec } = await get('updated');
    expect(Object.keys(spec.graph.components)).toEqual(['two']);
    expect(metadata.annotations['glacis.dev/app-version']).toBe('3');
    const values = `two=${await file({ replicas: 7 })}`;
    expect(await run('graph', 'update', 'updated', '-v', values)).toMatchObject({ code: 0 });
    expect((await get('updated')).spec.graph.components['two']?.config.replicas).toBe(7);
    const absent = await run('graph', 'update', 'absent', '-v', values);
    expect([absent.code, absent.err]).toEqual([1, expect.stringContaining('not found')]);
    const other = await run('graph', 'update', 'made', '-f', path);
    expect([other.code, other.err]).toEqual([2, expect.stringContaining("'updated'")]);
  });

  test('validate is a dry run: an update if it exists, else a create', async () => {
    const fresh = await file(graph('fresh'));
    expect(await run('graph', 'validate', '-f', fresh)).toEqual({
      code: 0,
      out: 'valid\n',
      err: '',
    });
    await expect(get('fresh')).rejects.toThrow('not found');
    const newest = {
      ...component('one'),
      chart: { repo: 'charts', name: 'one', version: 'latest' },
    };
    const warned = await file(graph('fresh', { components: { one: newest } }));
    expect(await run('graph', 'validate', '-f', warned)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^warning: component one: .*latest.*\nvalid\n$/),
    });
    const changed = await file(graph('updated', { components: { three: component('three') } }));
    expect(await run('graph', 'validate', '-f', changed)).toMatchObject({ code: 0 });
    expect(Object.keys((await get('updated')).spec.graph.components)).toEqual(['two']);
  });

  test('edit opens spec.graph in EDITOR; a refused edit reopens with the messages', async () => {
    await run('graph', 'create', '-f', await file(graph('edited')));
    const editor = join(folder, 'editor');
    const seen = join(folder, 'seen');
    // First a need that is not there, then what the messages ask for.
    await writeFile(
      editor,
      `#!/bin/sh
cat "$1" >> ${seen}; echo ---- >> ${seen}
if grep -q refused "$1"; then sed -i 's/replicas: 1/replicas: 9/; /needs:/d; /- nobody/d' "$1"
else sed -i 's/    chart:/    needs:\\n      - nobody\\n    chart:/' "$1"; fi
`,
    );
    await chmod(editor, 0o755);
    process.env['EDITOR'] = editor;
    const { code, out } = await run('graph', 'edit', 'edited');
    expect([code, out]).toEqual([0, 'default:edited changed\n']);
    expect((await get('edited')).spec.graph.components['one']?.config.replicas).toBe(9);
    const [first, second] = (await readFile(seen, 'utf8')).split('----\n');
    expect(Object.keys(parse(first!))).toEqual(['components', 'flows']);
    expect(second).toMatch(/^#! refused:\n#! NEEDS_UNKNOWN /);
    process.env['EDITOR'] = 'true';
    expect(await run('graph', 'edit', 'edited')).toMatchObject({ code: 0, out: 'unchanged\n' });
    process.env['EDITOR'] = 'false';
    expect(await run('graph', 'edit', 'edited')).toMatchObject({ code: 2 });
    process.env['EDITOR'] = `echo 'components: [' >`;
    const given = await run('graph', 'edit', 'edited');
    expect([given.code, given.err]).toEqual([1, expect.stringContaining('what you wrote is in')]);
  });

  test('list prints <namespace>:<tab><name>, describe by prefix with its levels', async () => {
    expect((await run('graph', 'list', '-n', 'team')).out).toBe('team:\tplaced\n');
    const all = (await run('graph', 'list', '-A')).out.split('\n');
    expect(all).toEqual(expect.arrayContaining(['team:\tplaced', 'default:\tmade']));
    const listed = await run('graph', 'list', '-n', 'team', '-o', 'json');
    expect(JSON.parse(listed.out)).toMatchObject([{ metadata: { name: 'placed' } }]);
    const plain = await run('graph', 'describe', 'upda');
    expect(plain.out).toBe(
      'Namespace: default\nName: updated\nGeneration: 3\nStatus: -\nReason: -\nComponent namespaces: -\n',
    );
    const levels = ['-v', '-vv', '-vvv'].map((flag) => run('graph', 'describe', 'upda', flag));
    const [one, two, three] = (await Promise.all(levels)).map(({ out }) => out);
    expect(one).toContain('Message: -\nFLOW');
    expect(two).toContain('NAMESPACE  POD');
    expect(three).toContain('kind: RampartGraph');
    expect(await run('graph', 'describe', 'nobody')).toMatchObject({ code: 1 });
  });

  test('deploy and undeploy set deploy, and wait for the operator', async () => {
    const undeploy = run('graph', 'undeploy', 'made', '--wait');
    await waitFor(async () => (await get('made')).spec.deploy === false, processes);
    await status('made', { phase: 'Undeployed', observedGeneration: 2 });
    expect(await undeploy).toMatchObject({ code: 0, out: 'Undeployed\n' });
    const deploy = run('graph', 'deploy', 'made', '--wait');
    await waitFor(async () => (await get('made')).spec.deploy === true, processes);
    await status('made', { phase: 'Failed', messages: 'no chart\n', observedGeneration: 3 });
    const failed = await deploy;
    expect([failed.code, failed.out]).toEqual([1, expect.stringContaining('no chart')]);
    const late = await run('graph', 'undeploy', 'updated', '--wait', '--timeout', '1');
    expect([late.code, late.err]).toEqual([3, expect.stringContaining('after 1 s')]);
  });

  async function status(name: string, value: object): Promise<void> {
    const patch = JSON.stringify({ status: value });
    const args = ['--subresource=status', '--type=merge', '-p', patch];
    await cluster.kubectl('patch', 'rampartgraph', name, ...args);
  }

  test('status shows conditions and states; link shows the URLs of endpointPaths', async () => {
    await status('made', {
      phase: 'Deployed',
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Succeeded',
          message: 'all well',
          lastTransitionTime: '2026-11-22T00:00:00Z',
        },
      ],
      components: [{ name: 'one', namespace: 'default-made-one', state: 'normal' }],
      flows: [{ name: 'data', type: 'volume', state: 'normal' }],
      endpointPaths: JSON.stringify({ one: ['/default/made/one', '/api'], two: [] }),
    });
    const { out } = await run('graph', 'status', 'made');
    expect(out).toContain('Phase: Deployed\n');
    expect(out).toMatch(/Ready +True +Succeeded +all well/);
    expect(out).toMatch(/one +normal +default-made-one/);
    expect(out).toMatch(/data +volume +normal/);
    const links = await run('link', 'made', '-o', 'json');
    const { hostname } = new URL(await cluster.kubectl('config', 'view', '-o', serverPath));
    expect(JSON.parse(links.out)).toEqual([
      { component: 'one', url: `http://${hostname}:30800/default/made/one` },
      { component: 'one', url: `http://${hostname}:30800/api` },
    ]);
    const based = await run('link', 'made', 'one', '--base', 'https://graphs.example.org');
    expect(based.out).toContain('https://graphs.example.org/default/made/one');
    expect(await run('link', 'made', 'two')).toMatchObject({ code: 1 });
  });

  test('infra list', async () => {
    const metadata = { name: 'made', namespace: 'default' };
    const infra = { apiVersion: 'rampart.petuum.com/v1beta1', kind: 'RampartInfra', metadata };
    await cluster.apply({ ...infra, spec: { provides: [{ name: 'kafka' }] } });
    const provides = [{ name: 'kafka', status: 'deployed', source: metadata }];
    const args = [
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status: { provides } }),
    ];
    await cluster.kubectl('patch', 'rampartinfra', 'made', ...args);
    expect((await run('infra', 'list')).out).toBe('kafka from default: made\t\tstatus: deployed\n');
    expect((await run('infra', 'list', '-n', 'team')).out).toBe('');
  });

  logCases(() => cluster);

  test('delete asks [y/N]', async () => {
    const asked = await glacis(['graph', 'delete', 'made'], 'n\n');
    expect([asked.code, asked.err]).toEqual([1, 'Delete default:made? [y/N] ']);
    expect((await get('made')).metadata.deletionTimestamp).toBeUndefined();
    expect(await glacis(['graph', 'delete', 'made'], 'y\n')).toMatchObject({ code: 0 });
    await expect(get('made')).rejects.toThrow('not found');
    expect(await run('graph', 'delete', 'made', '-y')).toMatchObject({ code: 1 });
    expect(await run('graph', 'delete', '--all', '-A', '-y')).toMatchObject({ code: 0 });
    expect((await run('graph', 'list', '-A')).out).toBe('');
  });

  test('an API server that is not there: exit 3', async () => {
    const config = parse(await readFile(cluster.admin.file, 'utf8'));
    config.clusters[0].cluster.server = 'https://127.0.0.1:1';
    process.env['KUBECONFIG'] = await file(config);
    expect(await run('graph', 'list')).toMatchObject({ code: 3 });
    process.env['KUBECONFIG'] = cluster.admin.file;
  });
});
