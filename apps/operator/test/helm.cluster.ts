import { ApiServer, builtIns, openAccess, ResourceClient } from '@glacis/kube';
import { waitFor } from '@glacis/runtime';
import { findProcesses, temporaryFolder } from '@glacis/testbed';
import {
  Daemon,
  freePorts,
  helmProgram,
  makeCertificateAuthority,
  registryProgram,
  runCommand,
  startKubernetes,
  type KubernetesCluster,
} from '@glacis/testbed/cluster';
import type { Manifest, ResolvedChart } from '@glacis/graphs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ChartLibrary,
  ClusterObjects,
  Helm,
  Launcher,
  objectsOf,
  releaseSelector,
  releasesOf,
  removeLeftovers,
  renderedChart,
  WorkFolder,
  type HelmOptions,
  type HelmRun,
  type Release,
  type ReleaseSecret,
} from '../src/graphs/helm/index.js';
import { filesOf, passTo, serve, type Door, type TestServer } from './chart-server.js';
import { valuesTemplate, workloadTemplate, writeChart, type TestChart } from './charts.js';

let cluster: KubernetesCluster;
let server: ApiServer;
let repository: TestServer;
let repositoryFolder: string;
const runs: HelmRun[] = [];
const launcher = new Launcher();

const annotation = 'inputs: []\noutputs: []\n';
const stuck = `${valuesTemplate}  never: ready\n---\n${workloadTemplate}`;
const held = valuesTemplate.replace('metadata:', 'metadata:\n  finalizers: [test/held]');
const charts: TestChart[] = [
  { name: 'simple', version: '1.0.0', annotation },
  { name: 'simple', version: '1.1.0' },
  { name: 'simple', version: '2.0.0-rc.1' },
  { name: 'stuck', version: '1.0.0', templates: { stuck } },
  { name: 'held', version: '1.0.0', templates: { held } },
  { name: 'broken', version: '1.0.0' },
];

beforeAll(async () => {
  cluster = await startKubernetes();
  server = new ApiServer(await openAccess({ kubeconfig: cluster.admin.file }));
  repositoryFolder = await temporaryFolder();
  const sources = await temporaryFolder();
  for (const chart of charts) {
    const source = await writeChart(sources, chart);
    await cluster.helm('package', source, '--destination', repositoryFolder);
  }
  await cluster.helm('repo', 'index', repositoryFolder);
  await breakChart(sources);
  repository = await serve(filesOf(repositoryFolder));
});

afterAll(async () => {
  await launcher.close();
  await repository?.stop();
  await cluster?.stop();
});

/** The index still has it, the archive holds no YAML. */
async function breakChart(sources: string): Promise<void> {
  await mkdir(join(sources, 'broken'));
  await writeFile(join(sources, 'broken/Chart.yaml'), '{ name: "broken', 'utf8');
  const archive = join(repositoryFolder, 'broken-1.0.0.tgz');
  await runCommand('tar', ['-czf', archive, '-C', sources, 'broken']);
}

const inRepository = (name: string, version = '1.0.0'): ResolvedChart => ({
  repository: { kind: 'url', url: `http://${repository.address}` },
  name,
  version,
});

interface Stand {
  helm: Helm;
  folder: WorkFolder;
  namespace: string;
}

let stands = 0;

async function stand(options: Partial<HelmOptions> = {}): Promise<Stand> {
  stands += 1;
  const namespace = `n${stands}`;
  await cluster.kubectl('create', 'namespace', namespace);
  const folder = new WorkFolder(await temporaryFolder(), namespace);
  const helm = new Helm(folder, {
    program: await helmProgram(),
    run: launcher.run,
    installTimeoutSeconds: 60,
    repoTimeoutSeconds: 30,
    kubeconfig: cluster.admin.file,
    onRun: (run) => runs.push(run),
    ...options,
  });
  return { helm, folder, namespace };
}

async function releases(namespace: string): Promise<Release[]> {
  const secrets = new ResourceClient(server, builtIns.secrets);
  const { items } = await secrets.list({ namespace, labelSelector: releaseSelector });
  return releasesOf(items as ReleaseSecret[]);
}

const release = async (namespace: string): Promise<Release | undefined> =>
  (await releases(namespace)).find(({ name }) => name === 'component');

/** Once it is in this state. */
const inState = (namespace: string, status: string): Promise<Release> =>
  waitFor(
    async () => {
      const found = await release(namespace);
      return found?.status === status && found;
    },
    { deadlineMs: 60_000, everyMs: 50, what: status },
  );

const install = ({ helm, namespace }: Stand, chart: ResolvedChart, values: object = {}) =>
  helm.install({ release: 'component', namespace, chart, values });

/** Kills helm itself, in whose environment the work folder stands. */
async function killHelm({ folder }: Stand): Promise<void> {
  const running = await findProcesses(folder.path);
  for (const { pid } of running) process.kill(pid, 'SIGKILL');
}

describe('graph-apps.md 4.5: releases', () => {
  it('installs, upgrades, and forgets values that are no longer given', async () => {
    const one = await stand();
    const values = { text: '{{ .Release.Name }}', number: 1, __proto__: 2 };
    const first = await install(one, inRepository('simple'), values);
    expect(first).toMatchObject({ revision: 1, status: 'deployed', chart: { version: '1.0.0' } });
    const second = await install(one, inRepository('simple', '1.1.0'));
    expect(second).toMatchObject({ revision: 2, chart: { name: 'simple', version: '1.1.0' } });
    const found = await release(one.namespace);
    expect(found).toMatchObject({ revision: 2, status: 'deployed' });
    expect(found?.history.map(({ status }) => status)).toEqual(['deployed', 'superseded']);
    expect(found?.details()).toMatchObject({ description: 'Upgrade complete', values: {} });
    const [made] = objectsOf(found?.details()?.manifest ?? '', one.namespace);
    expect(made).toMatchObject({ kind: 'ConfigMap', name: 'component-values' });
    // What was fetched is gone.
    expect(await readdir(join(one.folder.path, 'fetched'))).toEqual([]);
  });

  it('leaves one that was not ready in time, or stopped by SIGTERM, to the next upgrade', async () => {
    const one = await stand({ installTimeoutSeconds: 2 });
    await expect(install(one, inRepository('stuck'))).rejects.toMatchObject({ code: 'timeout' });
    expect(await release(one.namespace)).toMatchObject({ status: 'failed' });
    const ending = new AbortController();
    const slow = await stand();
    const stopped = install(
      { ...slow, helm: slow.helm.until(ending.signal) },
      inRepository('stuck'),
    );
    await inState(slow.namespace, 'pending-install');
    ending.abort();
    await expect(stopped).rejects.toMatchObject({ code: 'stopped' });
    expect(await release(slow.namespace)).toMatchObject({ status: 'failed' });
    for (const each of [one, slow]) {
      expect(await install(each, inRepository('simple'))).toMatchObject({ status: 'deployed' });
    }
  });

  it('goes back from the lock of a killed one to the newest good revision', async () => {
    const one = await stand();
    await install(one, inRepository('simple'));
    const hurried = await stand({ installTimeoutSeconds: 1 });
    const failing = { ...hurried, namespace: one.namespace };
    await expect(install(failing, inRepository('stuck'))).rejects.toMatchObject({
      code: 'timeout',
    });
    const killed = install(one, inRepository('stuck'));
    const locked = inState(one.namespace, 'pending-upgrade');
    await Promise.all([expect(killed).rejects.toThrow(''), locked.then(() => killHelm(one))]);
    await expect(install(one, inRepository('simple'))).rejects.toThrow('in progress');
    expect(await one.helm.unlock(await locked)).toBe(true);
    const freed = await release(one.namespace);
    expect(freed).toMatchObject({ status: 'deployed', revision: 4 });
    expect(freed?.details()?.chart.name).toBe('simple');
    expect(await install(one, inRepository('simple'))).toMatchObject({ status: 'deployed' });
  });

  it('takes down what was killed at its first install', async () => {
    const one = await stand();
    const killed = install(one, inRepository('stuck'));
    const locked = inState(one.namespace, 'pending-install');
    await Promise.all([expect(killed).rejects.toThrow(''), locked.then(() => killHelm(one))]);
    expect(await one.helm.unlock(await locked)).toBe(false);
    expect(await releases(one.namespace)).toEqual([]);
    expect(await install(one, inRepository('simple'))).toMatchObject({ revision: 1 });
  });
});

describe('graph-apps.md 4.5 and 4.10: uninstall', () => {
  const name = (namespace: string) => ({ release: 'component', namespace });
  const free = (namespace: string) => {
    const patch = JSON.stringify({ metadata: { finalizers: null } });
    const args = ['configmap', 'component-values', '-n', namespace, '--type=merge', '-p', patch];
    return cluster.kubectl('patch', ...args);
  };

  it('goes on where it was killed; one that is gone is done', async () => {
    const one = await stand();
    await install(one, inRepository('held'));
    const killed = one.helm.uninstall(name(one.namespace));
    await Promise.all([
      expect(killed).rejects.toThrow(''),
      inState(one.namespace, 'uninstalling').then(() => killHelm(one)),
    ]);
    await expect(install(one, inRepository('held'))).rejects.toThrow('');
    await free(one.namespace);
    await one.helm.uninstall(name(one.namespace));
    expect(await releases(one.namespace)).toEqual([]);
    await one.helm.uninstall(name(one.namespace));
  });

  it('removes what one that timed out has left, and nothing of others', async () => {
    const one = await stand({ installTimeoutSeconds: 1 });
    await install(one, inRepository('held'));
    const found = await release(one.namespace);
    const refs = objectsOf(found?.details()?.manifest ?? '', one.namespace);
    const uninstalled = one.helm.uninstall(name(one.namespace));
    await expect(uninstalled).rejects.toMatchObject({ code: 'timeout' });
    expect(await releases(one.namespace)).toEqual([]);
    const objects = new ClusterObjects(server);
    const left = removeLeftovers(objects, name(one.namespace), refs, { deadlineMs: 600 });
    await expect(left).rejects.toThrow('ConfigMap component-values is still there');
    await free(one.namespace);
    const other = { apiVersion: 'v1', kind: 'ConfigMap', namespace: one.namespace };
    const all = [
      ...refs,
      { ...other, name: 'kube-root-ca.crt' },
      { ...other, kind: 'Unknown', name: 'x' },
    ];
    await removeLeftovers(objects, name(one.namespace), all, { deadlineMs: 30_000 });
    expect(await objects.find({ ...other, name: 'component-values' })).toBeUndefined();
    expect(await objects.find({ ...other, name: 'kube-root-ca.crt' })).toBeDefined();
  });
});

describe('graph-apps.md 4.5: charts that are rendered here', () => {
  it('take over what is there, and hold text that looks like a template', async () => {
    const { helm, folder, namespace } = await stand();
    const object = (text: string): Manifest => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kept', namespace, labels: {} },
      data: { text },
    });
    await cluster.apply(object('before'));
    const objects = [object('{{ fail "no" }}\n---\n')];
    const chart = await renderedChart(folder, 'g_edges_helm', namespace, objects);
    const made = await helm.install({ release: 'edges', namespace, chart, values: {} });
    expect(made.chart).toEqual({ name: 'g_edges_helm', version: '0.0.0' });
    const text = await cluster.kubectl(
      'get',
      'cm',
      'kept',
      '-n',
      namespace,
      '-o',
      'jsonpath={.data.text}',
    );
    expect(text).toBe('{{ fail "no" }}\n---\n');
  });

  it('do so alone: what a user installs does not', async () => {
    const one = await stand();
    await cluster.kubectl('create', 'cm', 'component-values', '-n', one.namespace);
    await expect(install(one, inRepository('simple'))).rejects.toThrow(
      'invalid ownership metadata',
    );
  });
});

async function library(options: Partial<HelmOptions> = {}): Promise<ChartLibrary> {
  const { helm } = await stand(options);
  const auxChart = { repo: 'rampart-repo', name: 'auth-aux', version: 'latest' };
  const secret = () => Promise.resolve(undefined);
  return new ChartLibrary({ helm, secret, operatorNamespace: 'glacis', auxChart });
}

describe('graph-apps.md 3.3 and 4.5: charts of repositories', () => {
  it('asks once for a fixed version, and again for the latest', async () => {
    const charts = await library();
    const shortLived = await serve(filesOf(repositoryFolder));
    const chart = {
      ...inRepository('simple'),
      repository: { kind: 'url', url: `http://${shortLived.address}` },
    } as const;
    const twice = [charts.annotation(chart), charts.annotation(chart)];
    expect(await Promise.all(twice)).toEqual([annotation, annotation]);
    await shortLived.stop();
    expect(await charts.annotation(chart)).toBe(annotation);
    const latest = charts.annotation({ ...chart, version: 'latest' });
    await expect(latest).rejects.toMatchObject({ code: 'REPO_FAILED' });
  });

  it('takes pre-releases as the latest', async () => {
    const one = await stand();
    expect(await install(one, inRepository('simple', 'latest'))).toMatchObject({
      chart: { version: '2.0.0-rc.1' },
    });
  });

  it('tells a bad chart from a bad repository', async () => {
    const charts = await library();
    const missing = charts.annotation(inRepository('simple', '9.9.9'));
    await expect(missing).rejects.toMatchObject({ code: 'CHART_FAILED' });
    const broken = charts.annotation(inRepository('broken'));
    await expect(broken).rejects.toMatchObject({ code: 'CHART_FAILED' });
  });

  it('waits for a silent repository no longer than it may', async () => {
    const silent = await serve(() => undefined);
    try {
      const charts = await library({ repoTimeoutSeconds: 1 });
      const url = `http://${silent.address}`;
      const asked = charts.annotation({
        ...inRepository('simple'),
        repository: { kind: 'url', url },
      });
      await expect(asked).rejects.toMatchObject({ code: 'REPO_FAILED' });
    } finally {
      await silent.stop();
    }
  });

  it('shows credentials to the repository and to nobody else', async () => {
    const account = { username: 'anna', password: 'hidden-password' };
    const lines: string[] = [];
    const files = filesOf(repositoryFolder);
    const one = await stand();
    const look = async (): Promise<void> => {
      for (const { command } of await findProcesses(one.folder.path)) lines.push(command);
      lines.push(...(await modesIn(join(one.folder.path, 'fetched'))));
    };
    const guarded = await serve(
      (request, response) => void look().then(() => files(request, response)),
      { account },
    );
    try {
      const chart = (password: string, user = ''): ResolvedChart => ({
        name: 'simple',
        version: '1.0.0',
        repository: {
          kind: 'url',
          url: `http://${user}${guarded.address}`,
          credentials: { secret: 's', username: account.username, password },
        },
      });
      expect(await install(one, chart(account.password))).toMatchObject({ revision: 1 });
      expect(lines.join()).not.toContain(account.password);
      expect(lines).toContain('repositories.yaml 600');
      const refused = install(one, chart('other-password', 'eve:third-password@'));
      const error = await refused.catch((reason: Error) => reason.message);
      expect(error).toContain('401');
      expect(error).not.toMatch(/other-password|third-password/);
    } finally {
      await guarded.stop();
    }
  });
});

describe('graph-apps.md 4.5: repositories of a Secret', () => {
  const account = { username: 'anna', password: 'hidden-password' };
  let tls: { caFile: string; certFile: string; keyFile: string };
  let door: Door;

  beforeAll(async () => {
    const authority = await makeCertificateAuthority(await temporaryFolder(), '/CN=charts CA');
    const own = await authority.issue('server', '/CN=charts', ['IP:127.0.0.1']);
    const caller = await authority.issue('caller', '/CN=caller');
    const [ca, cert, key, certFile, keyFile] = (await Promise.all(
      [authority.cert, own.cert, own.key, caller.cert, caller.key].map((file) =>
        readFile(file, 'utf8'),
      ),
    )) as [string, string, string, string, string];
    tls = { caFile: ca, certFile, keyFile };
    door = { account, tls: { ca, cert, key } };
  });

  const ofSecret = (
    url: string,
    options: Record<string, string>,
    version?: string,
  ): ResolvedChart => ({
    repository: { kind: 'secret', secret: 's', url, options: { url, ...options } },
    name: 'simple',
    version,
  });

  it('by password and certificates, however the keys are written', async () => {
    const one = await stand();
    const guarded = await serve(filesOf(repositoryFolder), door);
    try {
      const url = `https://${guarded.address}`;
      const { caFile, certFile, keyFile } = tls;
      const kebab = { 'ca-file': caFile, 'cert-file': certFile, 'key-file': keyFile };
      for (const options of [
        { ...account, ...tls },
        { ...account, ...kebab },
      ]) {
        const chart = { version: '2.0.0-rc.1' };
        expect(await install(one, ofSecret(url, options))).toMatchObject({ chart });
      }
      const unknown = install(one, ofSecret(url, { ...account, caFile }));
      await expect(unknown).rejects.toMatchObject({ code: 'repository' });
      const distrusted = install(one, ofSecret(url, { ...account, certFile, keyFile }));
      await expect(distrusted).rejects.toMatchObject({ code: 'repository' });
      const blind = { ...account, certFile, keyFile, insecureSkipTlsVerify: 'true' };
      expect(await install(one, ofSecret(url, blind, '1.0.0'))).toMatchObject({ revision: 3 });
    } finally {
      await guarded.stop();
    }
  });

  it('in a registry (OCI), with the newest tag as the latest', async () => {
    const one = await stand();
    const registry = await startRegistry();
    const guarded = await serve(passTo(registry.address), door);
    try {
      for (const version of ['1.0.0', '1.1.0', '2.0.0-rc.1']) {
        const archive = join(repositoryFolder, `simple-${version}.tgz`);
        await cluster.helm('push', archive, `oci://${registry.address}/charts`, '--plain-http');
      }
      const url = `oci://${guarded.address}/charts/`;
      const latest = await install(one, ofSecret(url, { ...account, ...tls }));
      expect(latest).toMatchObject({ chart: { version: '2.0.0-rc.1' } });
      const fixed = await install(one, ofSecret(url, { ...account, ...tls }, '1.0.0'));
      expect(fixed).toMatchObject({ chart: { version: '1.0.0' } });
      const refused = install(
        one,
        ofSecret(url, { ...account, ...tls, password: 'wrong-password' }),
      );
      const error = await refused.catch((reason: Error) => reason.message);
      expect(error).toContain('401');
      expect(error).not.toContain('wrong-password');
    } finally {
      await guarded.stop();
      await registry.stop();
    }
  });
});

async function startRegistry(): Promise<TestServer> {
  const [port = 0] = await freePorts(1);
  const daemon = new Daemon({
    name: 'the registry',
    file: await registryProgram(),
    args: ['-port', String(port)],
    logFile: join(await temporaryFolder(), 'registry.log'),
    ready: () =>
      fetch(`http://127.0.0.1:${port}/v2/`).then(
        ({ ok }) => ok,
        () => false,
      ),
  });
  await daemon.start();
  return { address: `127.0.0.1:${port}`, stop: () => daemon.stop() };
}

async function modesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const found = names.filter((name) => /\.(yaml|pem|json)$/.test(name) && !name.includes('index'));
  return Promise.all(
    found.map(async (name) => {
      const { mode } = await stat(join(folder, name));
      return `${name.split('/').at(-1)} ${(mode & 0o777).toString(8)}`;
    }),
  );
}
