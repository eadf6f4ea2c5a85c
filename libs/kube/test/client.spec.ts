import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@glacis/testbed';
import { faultProxy } from '@glacis/testbed/cluster';
import { ApiServer, builtIns, KubeError, openAccess, ResourceClient } from '../src/index.js';
import { FakeApiServer } from './fake-api-server.js';
import { collection, connected, type Connected } from './widgets.js';

describe('the client of a resource', () => {
  let fake: FakeApiServer;
  let kube: Connected;
  const ref = { namespace: 'tee', name: 'a' };

  beforeEach(async () => {
    fake = await new FakeApiServer().listen();
    kube = await connected(fake, { timeoutMs: 2_000 });
  });

  afterEach(async () => {
    kube.access.close();
    await fake.close();
  });

  const refusal = (code: string, more: object = {}) => expect.objectContaining({ code, ...more });

  it('creates, reads, replaces and deletes', async () => {
    const made = await kube.client.create({ metadata: ref, spec: { size: 1 } });
    expect(made).toMatchObject({ apiVersion: 'test.glacis.dev/v1', kind: 'Widget' });
    await expect(kube.client.create({ metadata: ref, spec: { size: 1 } })).rejects.toEqual(
      refusal('alreadyExists', { status: 409 }),
    );
    const changed = await kube.client.replace({ ...made, spec: { size: 2 } });
    await expect(kube.client.replace(made)).rejects.toEqual(refusal('conflict'));
    expect(await kube.client.get(ref)).toEqual(changed);
    await kube.client.delete(ref);
    await expect(kube.client.get(ref)).rejects.toEqual(refusal('notFound', { status: 404 }));
    expect(await kube.client.find(ref)).toBeUndefined();
  });

  it('asks for a mere check of what is written', async () => {
    const made = await kube.client.create({ metadata: ref, spec: { size: 1 } }, { dryRun: true });
    await kube.client.replace(made, { dryRun: true });
    const written = fake.requests.slice(-2).map(({ method, path }) => `${method} ${path}`);
    expect(written).toEqual([`POST ${collection}?dryRun=All`, `PUT ${collection}/a?dryRun=All`]);
  });

  it('takes the namespace of the credentials where none is named', async () => {
    const { metadata } = await kube.client.create({ metadata: { name: 'b' }, spec: { size: 1 } });
    expect(metadata.namespace).toBe('tee');
    expect(await kube.client.get({ name: 'b' })).toMatchObject({ metadata: { name: 'b' } });
  });

  it('deletes only what was meant', async () => {
    const { metadata } = await kube.client.create({ metadata: ref, spec: { size: 1 } });
    const { uid, resourceVersion } = metadata;
    await expect(kube.client.delete(ref, { uid: 'other' })).rejects.toEqual(refusal('conflict'));
    await kube.client.patch(ref, { spec: { size: 2 } });
    await expect(kube.client.delete(ref, { uid, resourceVersion })).rejects.toEqual(
      refusal('conflict'),
    );
    await kube.client.delete(ref, { uid });
    expect(fake.all(collection)).toEqual([]);
  });

  it('lists in pages, as of one moment, with kind and version', async () => {
    for (let i = 0; i < 1201; i++) fake.put(`${collection}/w${i}`, { spec: { size: i } });
    const before = fake.requests.length;
    const { items, resourceVersion } = await kube.client.list({ labelSelector: 'a=b' });
    expect(items).toHaveLength(1201);
    expect(items[0]).toMatchObject({ apiVersion: 'test.glacis.dev/v1', kind: 'Widget' });
    expect(Number(resourceVersion)).toBe(1301);
    const calls = fake.requests.slice(before);
    expect(calls).toHaveLength(3);
    expect(calls[0]!.path).toContain('labelSelector=a%3Db&limit=500');
  });

  it('begins a list anew when its moment has grown too old, once', async () => {
    for (let i = 0; i < 600; i++) fake.put(`${collection}/w${i}`, { spec: { size: i } });
    let compactions = 1;
    fake.fault = ({ path }) => {
      if (path.includes('continue=') && compactions-- > 0) fake.compact();
      return undefined;
    };
    expect((await kube.client.list()).items).toHaveLength(600);
    compactions = Infinity;
    await expect(kube.client.list()).rejects.toEqual(refusal('gone', { status: 410 }));
  });

  it('applies for a field manager', async () => {
    await kube.client.apply({ metadata: ref, spec: { size: 1 } }, { fieldManager: 'glacis' });
    const { method, path, headers, body } = fake.requests.at(-1)!;
    expect({ method, path }).toEqual({
      method: 'PATCH',
      path: `${collection}/a?fieldManager=glacis&force=true`,
    });
    expect(headers['content-type']).toBe('application/apply-patch+yaml');
    expect(JSON.parse(body)).toMatchObject({ apiVersion: 'test.glacis.dev/v1', kind: 'Widget' });
  });

  it('writes a status only when it differs, and only what differs', async () => {
    let widget = await kube.client.create({ metadata: ref, spec: { size: 1 } });
    widget = await kube.client.updateStatus(widget, {
      phase: 'Ready',
      parts: { done: 1, left: 2 },
    });
    const before = fake.requests.length;
    const same = { parts: { left: 2, done: 1 }, phase: 'Ready', extra: undefined };
    expect(await kube.client.updateStatus(widget, same)).toBe(widget);
    expect(fake.requests).toHaveLength(before);
    const newer = await kube.client.updateStatus(widget, { phase: 'Ready', parts: { done: 3 } });
    expect(newer.status).toEqual({ phase: 'Ready', parts: { done: 3 } });
    expect(JSON.parse(fake.requests.at(-1)!.body)).toEqual({
      metadata: { resourceVersion: widget.metadata.resourceVersion },
      status: { parts: { done: 3, left: null } },
    });
    await expect(kube.client.updateStatus(widget, { phase: 'Late' })).rejects.toEqual(
      refusal('conflict'),
    );
  });

  it.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [422, 'invalid'],
    [410, 'gone'],
    [429, 'unavailable'],
    [500, 'unavailable'],
    [503, 'unavailable'],
    [504, 'timeout'],
  ])('gives %i the code %s', async (status, code) => {
    fake.fault = () => ({ status, reason: 'Because', retryAfter: 7 });
    await expect(kube.client.get(ref)).rejects.toEqual(
      refusal(code, { status, retryAfterMs: 7000, message: 'Because' }),
    );
  });

  it('gives up a call that is not answered, and one whose connection breaks', async () => {
    const impatient = await connected(fake, { timeoutMs: 50 });
    fake.fault = () => 'hang';
    await expect(impatient.client.get(ref)).rejects.toEqual(refusal('timeout'));
    impatient.access.close();
    fake.fault = () => 'reset';
    await expect(kube.client.get(ref)).rejects.toEqual(refusal('unavailable'));
  });

  it('refuses an answer without end', async () => {
    fake.put(`${collection}/big`, { spec: { colour: 'x'.repeat(10_000) } });
    const small = await connected(fake, { maxAnswerBytes: 1_000 });
    await expect(small.client.get({ name: 'big' })).rejects.toEqual(refusal('unavailable'));
    small.access.close();
  });

  it('lets nothing of a call that was given up arrive later', async () => {
    const proxy = await faultProxy({ port: fake.port });
    const far = await connected(fake, { port: proxy.port, timeoutMs: 300 });
    await far.client.create({ metadata: ref, spec: { size: 1 } });
    proxy.cut();
    const before = fake.requests.length;
    await expect(far.client.patch(ref, { spec: { size: 2 } })).rejects.toEqual(refusal('timeout'));
    proxy.heal();
    await far.client.get(ref);
    const arrived = fake.requests.slice(before).map(({ method }) => method);
    far.access.close();
    await proxy.close();
    expect(arrived).toEqual(['GET']);
  });

  it('sends nothing any more once the fence is down, and ends what is under way', async () => {
    const term = new AbortController();
    let holds = true;
    const fenced = kube.server.fencedBy({ signal: term.signal, holds: () => holds });
    const client = new ResourceClient(fenced, builtIns.secrets);
    fake.fault = () => 'hang';
    const waiting = client.get({ name: 's' });
    setImmediate(() => term.abort());
    await expect(waiting).rejects.toEqual(refusal('fenced'));
    const late = kube.server.fencedBy({ signal: new AbortController().signal, holds: () => holds });
    holds = false;
    const before = fake.requests.length;
    await expect(new ResourceClient(late, builtIns.secrets).get({ name: 's' })).rejects.toEqual(
      refusal('fenced'),
    );
    expect(fake.requests).toHaveLength(before);
  });
});

describe('access to a cluster', () => {
  it('reads the kubeconfig again when its token is refused', async () => {
    const fake = await new FakeApiServer().listen();
    fake.fault = ({ headers }) =>
      headers.authorization === 'Bearer second' ? undefined : { status: 401 };
    const kubeconfig = await fake.kubeconfig({ token: 'first' });
    const access = await openAccess({ kubeconfig });
    const client = new ResourceClient(new ApiServer(access), builtIns.secrets);
    await expect(client.list()).rejects.toMatchObject({ code: 'unauthorized' });
    const later = await fake.kubeconfig({ token: 'second' });
    await copyFile(later, kubeconfig);
    expect((await client.list()).items).toEqual([]);
    access.close();
    await fake.close();
  });

  it('takes the service account of the pod, and its token as it is now', async () => {
    const fake = await new FakeApiServer().listen();
    const root = await temporaryFolder();
    const folder = join(root, 'var/run/secrets/kubernetes.io/serviceaccount');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'namespace'), 'glacis-system');
    await writeFile(join(folder, 'token'), 'one');
    const saved = { ...process.env };
    Object.assign(process.env, {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(fake.port),
    });
    try {
      const access = await openAccess({ root });
      expect(access.namespace).toBe('glacis-system');
      expect(access.server.href).toBe(`https://127.0.0.1:${fake.port}/`);
      await writeFile(join(folder, 'ca.crt'), '');
      expect((await access.credentials(false)).headers.Authorization).toBe('Bearer one');
      await writeFile(join(folder, 'token'), 'two');
      expect((await access.credentials(true)).headers.Authorization).toBe('Bearer two');
      access.close();
    } finally {
      process.env = saved;
      await fake.close();
    }
  });

  it('takes the context that was named', async () => {
    const kubeconfig = join(await temporaryFolder(), 'kubeconfig');
    const part = (name: string) => ({
      cluster: { name, cluster: { server: `http://${name}.test` } },
      context: { name, context: { cluster: name, user: 'u', namespace: `ns-${name}` } },
    });
    const parts = [part('a'), part('b')];
    const config = {
      'current-context': 'a',
      clusters: parts.map(({ cluster }) => cluster),
      contexts: parts.map(({ context }) => context),
      users: [{ name: 'u', user: {} }],
    };
    await writeFile(kubeconfig, JSON.stringify(config));
    expect((await openAccess({ kubeconfig })).server.host).toBe('a.test');
    const access = await openAccess({ kubeconfig, context: 'b' });
    expect([access.server.host, access.namespace]).toEqual(['b.test', 'ns-b']);
    await expect(openAccess({ kubeconfig, context: 'c' })).rejects.toThrow("no context 'c'");
  });

  it('names what is missing', async () => {
    await expect(openAccess()).rejects.toMatchObject({ code: 'notConfigured' });
    await expect(openAccess({ kubeconfig: '/nowhere' })).rejects.toThrow(/ENOENT/);
    await expect(openAccess({ kubeconfig: '/nowhere' })).rejects.toBeInstanceOf(KubeError);
  });
});
