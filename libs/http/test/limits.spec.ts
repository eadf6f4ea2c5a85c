import { jest } from '@jest/globals';
import { Controller, Get, Module, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { waitFor } from '@glacis/runtime';
import { connect, type Socket } from 'node:net';
import { Operation } from '../src/index.js';
import { portOf, send, startApp, testSettings } from './app.js';
import { WidgetModule } from './widgets.js';

jest.setTimeout(60_000);

let app: NestFastifyApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

interface RawConnection {
  socket: Socket;
  text: string;
  closed: boolean;
}

async function open(application: NestFastifyApplication, bytes = ''): Promise<RawConnection> {
  const socket = connect(portOf(application), '127.0.0.1');
  const connection: RawConnection = { socket, text: '', closed: false };
  socket.on('data', (chunk) => (connection.text += chunk.toString()));
  socket.on('error', () => undefined);
  socket.on('close', () => (connection.closed = true));
  await new Promise((resolve) => socket.once('connect', resolve));
  if (bytes) socket.write(bytes);
  return connection;
}

describe('rate per caller', () => {
  test('a subject over its burst gets 429 with Retry-After, others go on', async () => {
    app = await startApp(WidgetModule, {
      settings: testSettings({ callerBurst: 3, callerRate: 0.1 }),
    });
    const get = (token?: string) => send(app!, 'GET', '/widgets/1', token ? { token } : {});
    for (let i = 0; i < 3; i++) expect((await get('member')).status).toBe(200);
    const refused = await get('member');
    expect(refused.status).toBe(429);
    expect(refused.json()).toMatchObject({ code: 'rate-limited' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect((await get('admin')).status).toBe(200);
  });

  test('requests without a good token count by address, and never against a subject', async () => {
    app = await startApp(WidgetModule, {
      settings: testSettings({ callerBurst: 3, callerRate: 0.1 }),
    });
    for (let i = 0; i < 3; i++) {
      expect((await send(app, 'GET', '/widgets/1', { token: 'forged' })).status).toBe(401);
    }
    expect((await send(app, 'GET', '/widgets/1', { token: 'forged' })).status).toBe(429);
    expect((await send(app, 'GET', '/open/x')).status).toBe(429);
    expect((await send(app, 'GET', '/widgets/1', { token: 'member' })).status).toBe(200);
    expect((await send(app, 'GET', '/health/live')).status).toBe(200);
  });
});

describe('slow clients', () => {
  test('a connection that sends nothing, or headers without end, is closed', async () => {
    app = await startApp(WidgetModule, {
      settings: testSettings({ headersTimeout: 300, requestTimeout: 600 }),
    });
    const silent = await open(app);
    const dripping = await open(app, 'GET / HTTP/1.1\r\nhost: x\r\n');
    await waitFor(() => silent.closed && dripping.closed, { what: 'both connections closed' });
    expect(dripping.text).toMatch(/^HTTP\/1\.1 408 [^]*"code":"request-timeout"/);
  });

  test('a body that never comes to its end is closed', async () => {
    app = await startApp(WidgetModule, {
      settings: testSettings({ headersTimeout: 300, requestTimeout: 600 }),
    });
    const slow = await open(
      app,
      'POST /widgets HTTP/1.1\r\nhost: x\r\nauthorization: Bearer member\r\n' +
        'content-type: application/json\r\ncontent-length: 100\r\n\r\n{"na',
    );
    await waitFor(() => slow.closed, { what: 'the connection closed' });
    expect(slow.text).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('a body that nobody reads has no longer', async () => {
    app = await startApp(WidgetModule, {
      settings: testSettings({ headersTimeout: 300, requestTimeout: 600 }),
    });
    const slow = await open(app, 'PUT /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1');
    await waitFor(() => slow.closed, { what: 'the connection closed' });
    expect(slow.text).toMatch(/^HTTP\/1\.1 404 /);
  });

  test.each(['/nowhere', '/widgets'])(
    'nothing waits for a body whose connection ended before it: %s',
    async (path) => {
      const requestTimeout = 54_321;
      app = await startApp(WidgetModule, { settings: testSettings({ requestTimeout }) });
      const [set, cleared] = [jest.spyOn(global, 'setTimeout'), jest.spyOn(global, 'clearTimeout')];
      try {
        const head = `PUT ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1`;
        const cut = await open(app, head);
        await waitFor(() => cut.text.includes('\r\n\r\n{'), { what: 'the refusal' });
        cut.socket.destroy();
        const at = set.mock.calls.findIndex(([, ms]) => ms === requestTimeout);
        const timer = set.mock.results[at]?.value;
        const isCleared = (): boolean => cleared.mock.calls.some(([each]) => each === timer);
        await waitFor(() => timer !== undefined && isCleared(), { what: 'the end of the timer' });
      } finally {
        set.mockRestore();
        cleared.mockRestore();
      }
    },
  );

  test('an idle connection is kept for its time and then closed', async () => {
    app = await startApp(WidgetModule, { settings: testSettings({ idleTimeout: 200 }) });
    const idle = await open(app, 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
    await waitFor(() => idle.text.includes('200 OK'), { what: 'the reply' });
    await waitFor(() => idle.closed, { what: 'the connection closed' });
  });

  test('connections above the bound are closed at accept, those below live', async () => {
    app = await startApp(WidgetModule, { settings: testSettings({ maxConnections: 2 }) });
    const first = await open(app);
    const second = await open(app);
    const third = await open(app);
    await waitFor(() => third.closed, { what: 'the third connection closed' });
    expect([first.closed, second.closed]).toEqual([false, false]);
    second.socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
    await waitFor(() => second.text.includes('200 OK'), { what: 'a reply on the second' });
    first.socket.destroy();
    second.socket.destroy();
  });
});

describe('shutdown', () => {
  const gate: { open?: () => void; entered: boolean } = { entered: false };

  @Controller()
  class SlowController {
    @Get('slow')
    @Operation({ access: 'public', summary: 'Waits' })
    async slow(): Promise<object> {
      gate.entered = true;
      await new Promise<void>((resolve) => (gate.open = resolve));
      return { done: true };
    }

    @Post('slow')
    @Operation({ access: 'public', summary: 'Reads' })
    read(): void {}
  }

  @Module({ controllers: [SlowController] })
  class SlowModule {}

  test('requests under way are finished, new connections refused', async () => {
    const closing = await startApp(SlowModule);
    const reply = send(closing, 'GET', '/slow');
    await waitFor(() => gate.entered, { what: 'the request under way' });
    const idle = await open(closing, 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
    await waitFor(() => idle.text.includes('200 OK'), { what: 'the reply' });
    const port = portOf(closing);
    const closed = closing.close();
    await waitFor(() => idle.closed, { what: 'the idle connection closed' });
    await expect(fetch(`http://127.0.0.1:${port}/slow`)).rejects.toThrow('fetch failed');
    gate.open?.();
    expect((await reply).json()).toEqual({ done: true });
    await closed;
  });
});
