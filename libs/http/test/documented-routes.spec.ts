import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { openApiDocument, type OperationConfig } from '../src/index.js';
import { startApp } from './app.js';

const text = (path?: string): OperationConfig => ({
  operation: {
    access: 'member',
    summary: 'A text',
    errors: ['not-found'],
    document: path === undefined ? path : { path, responses: { 200: { description: 'It.' } } },
  },
});

/** Routes that no controller has, as those of streams. */
@Module({})
class PlainModule implements OnModuleInit {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.register((scope, _options, done) => {
      scope.get('/texts/*', { config: text('/texts/{name}') }, async () => 'x');
      scope.put('/texts/*', { config: text('/texts/{name}') }, async () => 'x');
      scope.get('/hidden', { config: text() }, async () => 'x');
      done();
    });
  }
}

let app: NestFastifyApplication;
beforeAll(async () => {
  app = await startApp(PlainModule);
});
afterAll(() => app.close());

test('a route without a controller is in the document as it describes itself, with its errors', async () => {
  const { paths } = await openApiDocument(app, { title: 'T', description: 'D', version: '1' });
  expect(Object.keys(paths)).toEqual(['/texts/{name}']);
  expect(Object.keys(paths['/texts/{name}'] ?? {})).toEqual(['get', 'put']);
  expect(paths['/texts/{name}']?.get).toMatchObject({
    summary: 'A text',
    security: [{ bearer: [] }],
    responses: {
      200: { description: 'It.' },
      401: { description: 'unauthenticated' },
      404: { description: 'not-found' },
    },
  });
});
