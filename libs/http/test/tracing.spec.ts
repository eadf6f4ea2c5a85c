import { Controller, Module, Post } from '@nestjs/common';
import { Tracing } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CallerParam, Operation, type Caller } from '../src/index.js';
import { send, startApp } from './app.js';

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: { key: string; value: Record<string, unknown> }[];
}

/** An OTLP collector that keeps what it is sent. */
async function startSink(): Promise<{
  url: string;
  spans: Span[];
  bodies: string[];
  close(): void;
}> {
  const spans: Span[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      bodies.push(body);
      for (const { scopeSpans } of JSON.parse(body).resourceSpans) {
        for (const scope of scopeSpans) spans.push(...scope.spans);
      }
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, spans, bodies, close: () => void server.close() };
}

test('a request and the handler of an event that it caused are spans of one trace', async () => {
  const sink = await startSink();
  const tracing = new Tracing({ service: 'test', endpoint: sink.url });
  /** The envelope of the event, as the outbox would keep it. */
  let envelope: { traceparent: string } | undefined;

  @Controller()
  class ThingController {
    @Post('things/:id')
    @Operation({ access: 'member', summary: 'Writes an event' })
    create(@CallerParam() caller: Caller): void {
      envelope = { traceparent: caller.traceparent };
    }
  }
  @Module({ controllers: [ThingController] })
  class ThingModule {}

  const app = await startApp(ThingModule, { tracing });
  const incoming = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await send(app, 'POST', '/things/1?token=hidden', {
    token: 'member',
    headers: { traceparent: incoming },
  });
  const parent = await waitFor(() => envelope, { what: 'the event' });
  await tracing.span(
    'handle thing.created',
    parent.traceparent,
    { 'event.type': 'x' },
    async () => {
      await Promise.resolve();
    },
  );
  await app.close();
  await tracing.close();
  await waitFor(() => sink.spans.length === 2, { what: 'two spans at the collector' });
  sink.close();

  const request = sink.spans.find(({ name }) => name === 'POST /things/:id');
  const handler = sink.spans.find(({ name }) => name === 'handle thing.created');
  expect(request?.traceId).toBe('0af7651916cd43dd8448eb211c80319c');
  expect(request?.parentSpanId).toBe('b7ad6b7169203331');
  expect(handler?.traceId).toBe(request?.traceId);
  expect(handler?.parentSpanId).toBe(request?.spanId);
  const status = request?.attributes.find(({ key }) => key === 'http.response.status_code');
  expect(status?.value).toEqual({ intValue: 201 });
  expect(sink.bodies.join('')).not.toMatch(/hidden|Bearer/);
});
