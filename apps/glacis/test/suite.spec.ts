import { createServer } from 'node:http';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { waitFor } from '@glacis/runtime';
import { Child } from '../src/demo/child.js';
import { appsWay } from './apps-way.js';
import { jobsWay } from './jobs-way.js';
import { readmeWay } from './readme-way.js';
import {
  freePorts,
  program,
  startLimitMs,
  startSuite,
  type EmbeddedSuite,
} from './running-suite.js';

describe('the embedded suite', () => {
  let suite: EmbeddedSuite;

  beforeAll(async () => {
    suite = await startSuite();
  });
  afterAll(() => suite.close());

  readmeWay(() => suite);
  appsWay(() => suite);
  jobsWay(() => suite);

  it('refuses a second start on its data folder, naming the process that has it', async () => {
    const second = Child.start(program, {
      GLACIS_DATA_DIR: suite.dataDir,
      GLACIS_PORT: '0',
    });
    await second.line(/cannot start.*\d+/);
    expect(await second.exited).toBe(1);
  });
});

describe('a data folder', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'glacis-folder-'))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const start = (): Child => Child.start(program, { GLACIS_DATA_DIR: dir, ...freePorts });

  async function door(child: Child): Promise<string> {
    return (await child.line(/door (http:\S+?),/, startLimitMs))[1] ?? '';
  }

  it('keeps everything over a restart and over a kill -9: data, CA, first token', async () => {
    const first = start();
    const url = await door(first);
    const token = readFileSync(join(dir, 'admin.token'), 'utf8').trim();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'kept' });
    await fetch(`${url}/backends`, { method: 'POST', headers, body });
    const ca = await (await fetch(`${url}/certs/ca`)).text();
    first.kill();
    await first.exited;
    const second = start();
    const again = await door(second);
    expect(readFileSync(join(dir, 'admin.token'), 'utf8').trim()).toBe(token);
    expect(await (await fetch(`${again}/certs/ca`)).text()).toBe(ca);
    expect(await (await fetch(`${again}/backends`, { headers })).text()).toContain('"kept"');
    await second.stop();
    expect(existsSync(join(dir, 'postgres', 'postmaster.pid'))).toBe(false);
  });

  it('refuses to start without a readable key-encryption key that belongs to its data', async () => {
    const first = start();
    await door(first);
    await first.stop();
    rmSync(join(dir, 'kek'));
    const second = start();
    await second.line(/cannot start/, startLimitMs);
    expect(await second.exited).toBe(1);
  });
});

describe('traces', () => {
  it('follow a request into the handler of the event that it caused', async () => {
    const traces = new Map<string, Set<string>>();
    const sink = createServer((request, reply) => {
      let text = '';
      request.on('data', (chunk) => (text += String(chunk)));
      request.on('end', () => {
        for (const span of spansOf(text)) {
          traces.set(span.traceId, (traces.get(span.traceId) ?? new Set()).add(span.name));
        }
        reply.end('{}');
      });
    });
    await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
    const suite = await startSuite({ GLACIS_TRACE_ENDPOINT: endpoint });
    try {
      const reply = await suite.api.call('POST', '/backends', { name: 'traced' });
      await suite.api.call('DELETE', reply.headers.get('location') ?? '');
      await waitFor(
        () =>
          [...traces.values()].some((names) => names.has('DELETE /backends/:id') && names.size > 1),
        { what: 'a trace of the request and the event handler', deadlineMs: 20_000 },
      );
    } finally {
      await suite.close();
      sink.closeAllConnections();
      sink.close();
    }
  });
});

interface Span {
  traceId: string;
  name: string;
}

function spansOf(text: string): Span[] {
  const body = JSON.parse(text) as { resourceSpans?: { scopeSpans: { spans: Span[] }[] }[] };
  return (body.resourceSpans ?? []).flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans),
  );
}
