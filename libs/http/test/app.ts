import type { DynamicModule, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger, Health, Metrics, Tracing } from '@glacis/observability';
import { loadSettings } from '@glacis/settings';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createHttpApp,
  httpSettings,
  problems,
  type HttpAppOptions,
  type HttpSettings,
  type Principal,
} from '../src/index.js';

/** Tokens of the tests: who they speak for. */
export const tokens: Record<string, Principal> = {
  member: principal('maria', 'acme', []),
  admin: principal('ada', 'acme', ['admin']),
  platform: principal('petra', null, ['platform-admin']),
  homeless: principal('hugo', null, []),
};

function principal(subject: string, tenant: string | null, roles: string[]): Principal {
  return { subject, tenant, roles, tokenId: `${subject}-1`, issuer: 'test', expiresAt: 4e9 };
}

export function authenticate(authorization: string | undefined): Principal {
  const found = tokens[/^Bearer (\w+)$/.exec(authorization ?? '')?.[1] ?? ''];
  if (!found) throw problems.unauthenticated('no good token');
  return found;
}

export const testSettings = (changes: Partial<HttpSettings> = {}): HttpSettings => ({
  ...loadSettings(httpSettings, { env: {} }),
  ...changes,
});

/** An application on a free port, with everything real but the tokens. */
export async function startApp(
  module: Type | DynamicModule,
  options: Partial<HttpAppOptions> = {},
): Promise<NestFastifyApplication> {
  const app = await createHttpApp(module, {
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: new Metrics(),
    health: new Health(),
    tracing: new Tracing({ service: 'test' }),
    authenticate,
    about: {
      version: '1.2.3',
      commit: 'abc',
      description: 'test service',
      buildTime: '2026-01-01T00:00:00Z',
      instanceId: 'one',
    },
    ...options,
  });
  await app.listen(0, '127.0.0.1');
  return app;
}

export function portOf(app: NestFastifyApplication): number {
  return (app.getHttpServer().address() as AddressInfo).port;
}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json(): Record<string, unknown>;
}

export interface Send {
  token?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** One request over a real connection, with the path sent exactly as given. */
export function send(
  app: NestFastifyApplication,
  method: string,
  path: string,
  { token, headers, body }: Send = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        port: portOf(app),
        host: '127.0.0.1',
        agent: false,
        method,
        path,
        headers: {
          ...(token && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && {
            'content-type': 'application/json',
            'content-length': String(Buffer.byteLength(body)),
          }),
          ...headers,
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text,
            json: () => JSON.parse(text) as Record<string, unknown>,
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
