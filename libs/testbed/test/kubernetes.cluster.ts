import { randomBytes } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { waitFor } from '@glacis/runtime';
import { jest } from '@jest/globals';
import { startKubernetes, type KubernetesCluster } from '../src/cluster/index.js';
import { findProcesses, temporaryFolder } from '../src/index.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

let cluster: KubernetesCluster;

beforeAll(async () => {
  cluster = await startKubernetes();
});

afterAll(() => cluster?.stop());

const configMap = (name: string, value: string): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { value },
});

const valueOf = (name: string): Promise<string> =>
  cluster.kubectl('get', 'configmap', name, '-o', 'jsonpath={.data.value}');

describe('startKubernetes', () => {
  it('gives the API server of the release, and controllers that work', async () => {
    const { serverVersion } = JSON.parse(await cluster.kubectl('version', '-o', 'json')) as {
      serverVersion: { gitVersion: string };
    };
    expect(serverVersion.gitVersion).toBe('v1.35.4');
    await cluster.kubectl('create', 'deployment', 'web', '--image=localhost/web:1');
    const made = await waitFor(
      async () => (await cluster.kubectl('get', 'replicasets,pods', '-o', 'name')).trim(),
      { deadlineMs: 60_000, everyMs: 250, what: 'the pod of the replica set' },
    );
    expect(made).toMatch(/^replicaset\.apps\/web-/);
  });

  it('takes custom resources, and refuses what their CEL rules forbid', async () => {
    const schema = {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: { least: { type: 'integer' }, most: { type: 'integer' } },
          'x-kubernetes-validations': [
            { rule: 'self.least <= self.most', message: 'least is above most' },
          ],
        },
      },
    };
    await cluster.apply({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'ranges.test.glacis.dev' },
      spec: {
        group: 'test.glacis.dev',
        scope: 'Namespaced',
        names: { kind: 'Range', plural: 'ranges', singular: 'range' },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } },
        ],
      },
    });
    await cluster.kubectl('wait', '--for=condition=Established', 'crd/ranges.test.glacis.dev');
    const range = (least: number, most: number): object => ({
      apiVersion: 'test.glacis.dev/v1',
      kind: 'Range',
      metadata: { name: 'r', namespace: 'default' },
      spec: { least, most },
    });
    await cluster.apply(range(1, 2));
    await expect(cluster.apply(range(3, 2))).rejects.toThrow('least is above most');
  });

  it('sends bookmarks to a watch', async () => {
    await cluster.apply(configMap('watched', 'x'));
    const query = 'watch=1&allowWatchBookmarks=true&resourceVersion=0&timeoutSeconds=4';
    const path = `/api/v1/namespaces/default/configmaps?${query}`;
    const events = (await cluster.kubectl('get', '--raw', path))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; object: { metadata: { name?: string } } });
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'ADDED',
        object: expect.objectContaining({ metadata: expect.objectContaining({ name: 'watched' }) }),
      }),
    );
    expect(events.map(({ type }) => type)).toContain('BOOKMARK');
  });

  it('lets further users do what RBAC says, and writes who has done what', async () => {
    const { file } = await cluster.user('reader', ['glacis:readers']);
    const asReader = (...args: string[]): Promise<string> =>
      cluster.kubectl('--kubeconfig', file, ...args);
    await expect(asReader('get', 'configmaps')).rejects.toThrow('"reader" cannot list');
    await cluster.kubectl('create', 'role', 'read', '--verb=list', '--resource=configmaps');
    await cluster.kubectl('create', 'rolebinding', 'read', '--role=read', '--group=glacis:readers');
    await waitFor(() => asReader('get', 'configmaps'), {
      everyMs: 200,
      what: 'the role to be known',
    });
    await expect(asReader('create', 'configmap', 'x')).rejects.toThrow('"reader" cannot create');
    const done = (await cluster.auditEvents())
      .filter(({ user }) => user.username === 'reader')
      .map(({ verb, objectRef, responseStatus }) => ({
        verb,
        resource: objectRef?.resource,
        code: responseStatus?.code,
      }));
    expect(done).toContainEqual({ verb: 'list', resource: 'configmaps', code: 200 });
    expect(done).toContainEqual({ verb: 'create', resource: 'configmaps', code: 403 });
    await expect(cluster.user('a/O=system:masters')).rejects.toThrow(RangeError);
  });

  it('shows what is stored, and where', async () => {
    const secret = randomBytes(16).toString('hex');
    await cluster.kubectl('create', 'secret', 'generic', 'hidden', `--from-literal=key=${secret}`);
    const holders = (await cluster.stored()).filter(({ value }) => value.includes(secret));
    expect(holders.map(({ key }) => key)).toEqual(['/registry/secrets/default/hidden']);
    expect(await cluster.stored('/registry/no-such/')).toEqual([]);
    expect(JSON.stringify(await cluster.auditEvents())).not.toContain(secret);
  });

  it('takes a chart that asks for the version of the server', async () => {
    const chart = await temporaryFolder();
    const about = { apiVersion: 'v2', name: 'small', version: '1.0.0', kubeVersion: '~1.35.0' };
    await writeFile(join(chart, 'Chart.yaml'), JSON.stringify(about));
    await mkdir(join(chart, 'templates'));
    const template = JSON.stringify(configMap('{{ .Release.Name }}', '{{ .Values.value }}'));
    await writeFile(join(chart, 'templates', 'configmap.yaml'), template);
    for (const value of ['first', 'second']) {
      await cluster.helm('upgrade', '--install', 'chart', chart, '--wait', `--set=value=${value}`);
      expect(await valueOf('chart')).toBe(value);
    }
    await cluster.helm('uninstall', 'chart', '--wait');
    await expect(valueOf('chart')).rejects.toThrow('not found');
  });

  it('simulates nodes and pods on them', async () => {
    const names = await cluster.simulatedNodes(3);
    const image = 'localhost/none:1';
    await cluster.kubectl('create', 'deployment', 'many', `--image=${image}`, '--replicas=20');
    await cluster.kubectl('rollout', 'status', 'deployment/many', '--timeout=60s');
    const nodes = ['-l', 'app=many', '-o', 'jsonpath={.items[*].spec.nodeName}'];
    const used = new Set((await cluster.kubectl('get', 'pods', ...nodes)).split(' '));
    expect([...used].toSorted()).toEqual(names);
    await cluster.kubectl('delete', 'deployment/many');
    await cluster.kubectl('wait', '--for=delete', 'pods', '-l', 'app=many', '--timeout=60s');
  });

  it('keeps what is stored when the API server is killed or stopped, and works on', async () => {
    const { apiserver } = cluster;
    await cluster.apply(configMap('kept', 'before'));
    for (const end of [() => apiserver.kill(), () => apiserver.stop()]) {
      await end();
      await expect(valueOf('kept')).rejects.toThrow('refused');
      await apiserver.start();
      expect(await valueOf('kept')).toBe('before');
    }
    await cluster.kubectl('create', 'namespace', 'later');
    await waitFor(() => cluster.kubectl('get', 'serviceaccount', 'default', '-n', 'later'), {
      deadlineMs: 60_000,
      everyMs: 200,
      what: 'the controllers to be back',
    });
  });

  it('leaves no process and no file', async () => {
    const other = await startKubernetes();
    const folder = dirname(other.admin.file);
    expect(await findProcesses(folder)).toHaveLength(4);
    await other.stop();
    expect(await findProcesses(folder)).toEqual([]);
    await expect(stat(folder)).rejects.toThrow('ENOENT');
  });
});
