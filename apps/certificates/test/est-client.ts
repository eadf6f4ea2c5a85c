import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { readCertsOnly } from '@glacis/pki';

export interface EstReply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // eslint-disable-next-line typescript/no-explicit-any -- replies are looked into freely
  json(): any;
  /** The certificates of a certs-only answer, DER each. */
  certificates(): Buffer[];
}

export interface EstSend extends Pick<RequestOptions, 'ca' | 'cert' | 'key'> {
  headers?: Record<string, string>;
  body?: string;
}

export const basic = (user: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

/** One request over a connection of its own. Without `ca` the server is taken as it is. */
export function est(
  port: number,
  [method, path]: readonly [string, string],
  { headers, body, ...tls }: EstSend = {},
): Promise<EstReply> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      {
        ...tls,
        host: 'localhost',
        port,
        method,
        path,
        agent: false,
        rejectUnauthorized: tls.ca !== undefined,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/pkcs10' }),
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
            json: () => JSON.parse(text),
            certificates: () => readCertsOnly(Buffer.from(text, 'base64')),
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
