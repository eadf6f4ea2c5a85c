// Held to the calls of the specification by a small server that answers as Pulsar's admin API does; a real one takes the same table.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { PulsarTopics } from './pulsar.js';

const graph = { namespace: 'ns', name: 'my-g' };

/** What there is, and what was asked for. */
class StandIn {
  readonly calls: string[] = [];
  readonly bodies = new Map<string, string>();
  readonly there = new Set(['persistent/public/default']);
  status: number | undefined;
  swallows = false;
  private messages: string[] = [];
  private server: Server | undefined;

  async start(): Promise<string> {
    this.server = createServer((request, response) => {
      void text(request).then((body) => {
        const { status, answer } = this.answer(request.method ?? '', request.url ?? '', body);
        response.writeHead(this.status ?? status).end(answer);
      });
    });
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    if (this.server) await once(this.server.close(), 'close');
  }

  private answer(method: string, url: string, body: string): { status: number; answer?: string } {
    this.calls.push(`${method} ${url}`);
    this.bodies.set(url, body);
    const path = (url.split('?')[0] ?? '').replace('/admin/v2/', '');
    if (method === 'POST') {
      if (!this.swallows) this.messages.push(body);
      return { status: 200, answer: '{}' };
    }
    if (path.endsWith('/examinemessage')) return { status: 200, answer: this.messages.at(-1) };
    if (method === 'GET') return { status: 200, answer: JSON.stringify(this.namespaces()) };
    if (method === 'DELETE') return { status: this.there.delete(path) ? 204 : 404 };
    const isNew = !this.there.has(path);
    this.there.add(path);
    return { status: isNew ? 204 : 409 };
  }

  private namespaces(): string[] {
    const all = [...this.there].filter((path) => path.startsWith('namespaces/'));
    return all.map((path) => path.slice('namespaces/'.length));
  }
}

let standIn: StandIn;
let topics: PulsarTopics;

beforeEach(async () => {
  standIn = new StandIn();
  topics = new PulsarTopics({ url: await standIn.start(), cluster: 'main' });
});
afterEach(() => standIn.stop());

test('graph-apps.md 4.9: tenant, namespace and topic are made, and what is there already is success', async () => {
  await topics.ensure(graph, 'f-1');
  await topics.ensure(graph, 'f-1');
  expect(standIn.calls.slice(0, 3)).toEqual([
    'PUT /admin/v2/tenants/rampart',
    'PUT /admin/v2/namespaces/rampart/ns_my-g',
    'PUT /admin/v2/persistent/rampart/ns_my-g/f-1',
  ]);
  expect(JSON.parse(standIn.bodies.get('/admin/v2/tenants/rampart') ?? '')).toMatchObject({
    allowedClusters: ['main'],
  });
  expect(topics.resourceOf(graph, 'f-1')).toBe('rampart/ns_my-g/f-1');
});

test('graph-apps.md 4.9: any other answer fails the flow', async () => {
  standIn.status = 500;
  await expect(topics.ensure(graph, 'f')).rejects.toThrow('pulsar answered 500');
  await expect(
    new PulsarTopics({ url: undefined, cluster: 'x' }).ensure(graph, 'f'),
  ).rejects.toThrow('RAMPART_PULSAR_SERVICE');
});

test('graph-apps.md 4.9: a topic and a namespace are removed, also when they are gone', async () => {
  await topics.ensure(graph, 'f');
  await topics.remove('rampart/ns_my-g/f');
  await topics.remove('rampart/ns_my-g/f');
  await topics.removeAll(graph);
  await topics.removeAll(graph);
  expect(standIn.calls).toContain('DELETE /admin/v2/namespaces/rampart/ns_my-g?force=true');
  expect([...standIn.there]).toEqual(['persistent/public/default', 'tenants/rampart']);
});

test('graph-apps.md 4.9: the sweep removes namespaces without a graph, and no others', async () => {
  await topics.ensure(graph, 'f');
  await topics.ensure({ namespace: 'ns', name: 'gone' }, 'f');
  expect(await topics.sweep(new Set(['ns_my-g']))).toEqual(['rampart/ns_gone']);
  expect(standIn.there).toContain('namespaces/rampart/ns_my-g');
});

test('graph-apps.md 4.3: a pulsar flow is well when a message comes back', async () => {
  expect(await topics.check(graph, 'f-1')).toEqual({ state: 'normal' });
  expect(standIn.calls[0]).toBe('PUT /admin/v2/persistent/public/default/ns_my_g_f_1_healthcheck');
  standIn.swallows = true;
  expect(await topics.check(graph, 'f-1')).toMatchObject({ state: 'error' });
});
