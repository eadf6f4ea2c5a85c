import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { JobsApi } from '@glacis/shares';
import { main } from '../program.js';
import { follow } from './events.js';
import { ProgressBar } from './progress.js';
import { put } from './put.js';

let server: Server | undefined;

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

const bytes = crypto.getRandomValues(new Uint8Array(65_536));
const body = (url: string, times = 5) => ({
  url,
  headers: { 'content-type': 'text/csv' },
  bytes: new Uint8Array(Buffer.concat(Array.from({ length: times }, () => bytes))),
});

describe('uploads', () => {
  test('go with their length, as signed links ask, and tell how far they are', async () => {
    const seen: [string | undefined, number][] = [];
    const url = await serve((request, reply) => {
      void buffer(request).then((all) => {
        seen.push([request.headers['content-length'], all.length]);
        reply.writeHead(201).end();
      });
    });
    const sent: number[] = [];
    expect(await put(body(url), (at) => sent.push(at))).toBe(201);
    expect(seen).toEqual([['327680', 327_680]]);
    expect(sent).toEqual([1, 2, 3, 4, 5].map((part) => part * 65_536));
  });

  test('a refusal counts though the body is not out; a broken connection is an error', async () => {
    const refusing = await serve((_, reply) => reply.writeHead(412, { connection: 'close' }).end());
    expect(await put(body(refusing, 200), () => undefined)).toBe(412);
    server?.close();
    const breaking = await serve((request) => request.socket.destroy());
    await expect(put(body(breaking), () => undefined)).rejects.toThrow(/./);
  });
});

test('jobs.md 3: events are followed over a broken stream without gap or repeat, up to the end', async () => {
  const asked: unknown[] = [];
  const event = (id: number, name: string): string =>
    `id: ${id}\nevent: ${name}\ndata: {"n":${id}}\n\n`;
  const url = await serve((request, reply) => {
    asked.push([request.url, request.headers['last-event-id']]);
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    if (asked.length > 1)
      return reply.end(`retry: 3000\n\n${event(3, 'state')}: here\n\n${event(4, 'end')}`);
    reply.write(event(1, 'state'));
    return reply.write(event(2, 'log').slice(0, -1) + '\nid: 3\neve', () =>
      request.socket.destroy(),
    );
  });
  const told: unknown[] = [];
  for await (const { id, event: name, data } of follow(new JobsApi(url), 'a/b'))
    told.push([id, name, data]);
  expect(told).toEqual([
    ['1', 'state', { n: 1 }],
    ['2', 'log', { n: 2 }],
    ['3', 'state', { n: 3 }],
    ['4', 'end', { n: 4 }],
  ]);
  expect(asked).toEqual([
    ['/jobs/a%2Fb/events', '0'],
    ['/jobs/a%2Fb/events', '2'],
  ]);
});

describe('jobs.md 3.2: exit codes of a job that is watched', () => {
  test.each([
    [{ state: 'success' }, 0, ''],
    [{ state: 'fail', failure: { class: 'data', message: 'owner data' } }, 3, 'owner data'],
    [{ state: 'fail', failure: { class: 'policy', message: 'a policy' } }, 3, 'a policy'],
    [{ state: 'fail', failure: { class: 'infra', message: 'no compute' } }, 4, 'no compute'],
    [{ state: 'fail', failure: { class: 'protocol', message: 'a peer' } }, 4, 'a peer'],
    [{ state: 'fail', failure: { class: 'timeout', message: 'too late' } }, 5, 'too late'],
    [{ state: 'cancelled' }, 1, 'cancelled'],
  ])('%j', async (job, code, told) => {
    const url = await serve((request, reply) => {
      const event = `id: 1\nevent: end\ndata: ${JSON.stringify(job)}\n\n`;
      reply.end(request.url?.endsWith('/events') ? event : JSON.stringify(job));
    });
    let text = '';
    const stream = { write: (part: string) => (text += part) };
    const nowhere = ['--token-file', '/nowhere', '--server', url];
    const argv = [...nowhere, 'jobs', 'watch', 'a', '--keep', '/nowhere'];
    expect(await main(argv, { stdout: stream, stderr: stream })).toBe(code);
    expect(text).toContain(told);
  });
});

test('the bar of a job that is watched is as long as the job says', async () => {
  const url = await serve((request, reply) => {
    const state = '{"state":"running","label":"Running Experiment","progress":0.5}';
    const events = `id: 1\nevent: state\ndata: ${state}\n\nid: 2\nevent: end\ndata: {}\n\n`;
    reply.end(request.url?.endsWith('/events') ? events : '{"state":"success"}');
  });
  let text = '';
  const screen = { write: (part: string) => (text += part), isTTY: true };
  const argv = ['--token-file', '/nowhere', '--server', url, 'jobs', 'watch', 'a'];
  await main([...argv, '--keep', '/nowhere'], { stdout: { write: () => true }, stderr: screen });
  expect(text).toContain('░  50 %  Running Experiment');
});

test('a bar is drawn over itself on a terminal, and nowhere else', () => {
  let text = '';
  const write = (part: string): unknown => (text += part);
  const bar = new ProgressBar({ write, isTTY: true }, 'party 0');
  bar.show(0.5, '5 of 10 bytes');
  bar.show(0.5, '5 of 10 bytes');
  bar.show(2, 'all');
  bar.end();
  const half = `party 0  ${'█'.repeat(15)}${'░'.repeat(15)}  50 %  5 of 10 bytes`;
  expect(text.startsWith(`\r${half}\r`)).toBe(true);
  expect(text).toContain('█'.repeat(30));
  expect(text.split('\r').at(-2)?.trim()).toBe('');
  text = '';
  new ProgressBar({ write }, 'x').show(0.1, '');
  expect(text).toBe('');
});
