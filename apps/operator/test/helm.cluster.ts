import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '@glacis/graphs';
import {
  ClusterObjects,
  objectsOf,
  removeLeftovers,
  renderedChart,
} from '../src/graphs/helm/index.js';
import { repositoryCases } from './helm-repositories.js';
import { HelmWorld, install, killHelm } from './helm-world.js';

let world: HelmWorld;

beforeAll(async () => {
  world = await HelmWorld.open();
});
afterAll(() => world?.close());

describe('graph-apps.md 4.5: releases', () => {
  it('installs, upgrades, and forgets values that are no longer given', async () => {
    const one = await world.stand();
    const values = { text: '{{ .Release.Name }}', number: 1, __proto__: 2 };
    const first = await install(one, world.inRepository('simple'), values);
    expect(first).toMatchObject({ revision: 1, status: 'deployed', chart: { version: '1.0.0' } });
    const second = await install(one, world.inRepository('simple', '1.1.0'));
    expect(second).toMatchObject({ revision: 2, chart: { name: 'simple', version: '1.1.0' } });
    const found = await world.release(one.namespace);
    expect(found).toMatchObject({ revision: 2, status: 'deployed' });
    expect(found?.history.map(({ status }) => status)).toEqual(['deployed', 'superseded']);
    expect(found?.details()).toMatchObject({ description: 'Upgrade complete', values: {} });
    const [made] = objectsOf(found?.details()?.manifest ?? '', one.namespace);
    expect(made).toMatchObject({ kind: 'ConfigMap', name: 'component-values' });
    // What was fetched is gone.
    expect(await readdir(join(one.folder.path, 'fetched'))).toEqual([]);
  });

  it('leaves one that was not ready in time, or stopped by SIGTERM, to the next upgrade', async () => {
    const one = await world.stand({ installTimeoutSeconds: 2 });
    await expect(install(one, world.inRepository('stuck'))).rejects.toMatchObject({
      code: 'timeout',
    });
    expect(await world.release(one.namespace)).toMatchObject({ status: 'failed' });
    const ending = new AbortController();
    const slow = await world.stand();
    const stopped = install(
      { ...slow, helm: slow.helm.until(ending.signal) },
      world.inRepository('stuck'),
    );
    await world.inState(slow.namespace, 'pending-install');
    ending.abort();
    await expect(stopped).rejects.toMatchObject({ code: 'stopped' });
    expect(await world.release(slow.namespace)).toMatchObject({ status: 'failed' });
    for (const each of [one, slow]) {
      expect(await install(each, world.inRepository('simple'))).toMatchObject({
        status: 'deployed',
      });
    }
  });

  it('goes back from the lock of a killed one to the newest good revision', async () => {
    const one = await world.stand();
    await install(one, world.inRepository('simple'));
    const hurried = await world.stand({ installTimeoutSeconds: 1 });
    const failing = { ...hurried, namespace: one.namespace };
    await expect(install(failing, world.inRepository('stuck'))).rejects.toMatchObject({
      code: 'timeout',
    });
    const killed = install(one, world.inRepository('stuck'));
    const locked = world.inState(one.namespace, 'pending-upgrade');
    await Promise.all([expect(killed).rejects.toThrow(''), locked.then(() => killHelm(one))]);
    await expect(install(one, world.inRepository('simple'))).rejects.toThrow('in progress');
    expect(await one.helm.unlock(await locked)).toBe(true);
    const freed = await world.release(one.namespace);
    expect(freed).toMatchObject({ status: 'deployed', revision: 4 });
    expect(freed?.details()?.chart.name).toBe('simple');
    expect(await install(one, world.inRepository('simple'))).toMatchObject({ status: 'deployed' });
  });

  it('takes down what was killed at its first install', async () => {
    const one = await world.stand();
    const killed = install(one, world.inRepository('stuck'));
    const locked = world.inState(one.namespace, 'pending-install');
    await Promise.all([expect(killed).rejects.toThrow(''), locked.then(() => killHelm(one))]);
    expect(await one.helm.unlock(await locked)).toBe(false);
    expect(await world.releases(one.namespace)).toEqual([]);
    expect(await install(one, world.inRepository('simple'))).toMatchObject({ revision: 1 });
  });
});

describe('graph-apps.md 4.5 and 4.10: uninstall', () => {
  const name = (namespace: string) => ({ release: 'component', namespace });
  const free = (namespace: string) => {
    const patch = JSON.stringify({ metadata: { finalizers: null } });
    const args = ['configmap', 'component-values', '-n', namespace, '--type=merge', '-p', patch];
    return world.cluster.kubectl('patch', ...args);
  };

  it('goes on where it was killed; one that is gone is done', async () => {
    const one = await world.stand();
    await install(one, world.inRepository('held'));
    const killed = one.helm.uninstall(name(one.namespace));
    await Promise.all([
      expect(killed).rejects.toThrow(''),
      world.inState(one.namespace, 'uninstalling').then(() => killHelm(one)),
    ]);
    await expect(install(one, world.inRepository('held'))).rejects.toThrow('');
    await free(one.namespace);
    await one.helm.uninstall(name(one.namespace));
    expect(await world.releases(one.namespace)).toEqual([]);
    await one.helm.uninstall(name(one.namespace));
  });

  it('removes what one that timed out has left, and nothing of others', async () => {
    const one = await world.stand({ installTimeoutSeconds: 1 });
    await install(one, world.inRepository('held'));
    const found = await world.release(one.namespace);
    const refs = objectsOf(found?.details()?.manifest ?? '', one.namespace);
    const uninstalled = one.helm.uninstall(name(one.namespace));
    await expect(uninstalled).rejects.toMatchObject({ code: 'timeout' });
    expect(await world.releases(one.namespace)).toEqual([]);
    const objects = new ClusterObjects(world.server);
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
    const { helm, folder, namespace } = await world.stand();
    const object = (text: string): Manifest => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kept', namespace, labels: {} },
      data: { text },
    });
    await world.cluster.apply(object('before'));
    const objects = [object('{{ fail "no" }}\n---\n')];
    const chart = renderedChart(folder, 'g_edges_helm', namespace, objects);
    const made = await helm.install({ release: 'edges', namespace, chart, values: {} });
    expect(made.chart).toEqual({ name: 'g_edges_helm', version: '0.0.0' });
    const text = await world.cluster.kubectl(
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
    const one = await world.stand();
    await world.cluster.kubectl('create', 'cm', 'component-values', '-n', one.namespace);
    await expect(install(one, world.inRepository('simple'))).rejects.toThrow(
      'invalid ownership metadata',
    );
  });
});

repositoryCases(() => world);
