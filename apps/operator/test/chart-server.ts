import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, request } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface TestServer {
  /** `host:port`. */
  address: string;
  stop(): Promise<void>;
}

/** What a server asks of its callers. */
export interface Door {
  account?: { username: string; password: string };
  tls?: { cert: string; key: string; ca: string };
}

export async function serve(
  listener: RequestListener,
  { account, tls }: Door = {},
): Promise<TestServer> {
  const guarded: RequestListener = (request, response) => {
    if (account === undefined || isOf(account, request)) return listener(request, response);
    response.writeHead(401, { 'www-authenticate': 'Basic realm="charts"' }).end();
  };
  const server = tls
    ? createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: true }, guarded)
    : createServer(guarded);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await once(server.close(), 'close');
  };
  return { address: `127.0.0.1:${port}`, stop };
}

function isOf(account: { username: string; password: string }, request: IncomingMessage): boolean {
  const pair = `${account.username}:${account.password}`;
  return request.headers.authorization === `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** The files of a folder: a repository of charts is no more than that. */
export const filesOf =
  (folder: string): RequestListener =>
  ({ url = '/' }, response) => {
    readFile(join(folder, new URL(url, 'http://server').pathname)).then(
      (content) => response.end(content),
      () => response.writeHead(404).end(),
    );
  };

/** Another server behind this one. */
export const passTo =
  (address: string): RequestListener =>
  (incoming: IncomingMessage, response: ServerResponse) => {
    const { authorization: _, ...headers } = incoming.headers;
    const options = { method: incoming.method, headers };
    const passed = request(`http://${address}${incoming.url}`, options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.once('error', () => response.destroy());
    incoming.pipe(passed);
  };
