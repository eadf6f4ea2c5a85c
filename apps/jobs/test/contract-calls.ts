import { createHash } from 'node:crypto';
import type { Reply, Stand } from './stand.js';

export const sample = {
  analysis_name: 'Sample',
  query_sql: 'SELECT * FROM t',
  security_level: 'semi',
  cloud_providers: ['aws', 'gcp'],
  schema: { Age: 'years' },
};
export const counting = { ...sample, query_sql: 'SELECT COUNT(*), AVG(Age) FROM t' };

export const notFound = (id: unknown): string =>
  JSON.stringify({ error: 'Job ID not found', job_id: id });
export const hash = (text: string): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`;

export const put = (
  url: string,
  body = 'Age_0,Age_1,[Age]_0,[Age]_1\n1,2,3,4\n',
): Promise<Response> =>
  fetch(url, { method: 'PUT', headers: { 'content-type': 'text/csv' }, body });

export function expectBytes(reply: Reply, code: number, text: string): void {
  expect([reply.status, reply.text, reply.headers['content-type']]).toEqual([
    code,
    text,
    'application/json; charset=utf-8',
  ]);
}

/** The contract routes (jobs.md 2) as a client calls them. */
export class ContractCalls {
  constructor(private readonly stand: () => Stand) {}

  readonly post = (path: string, body: unknown, headers = {}): Promise<Reply> =>
    this.stand().send('POST', path, { body, headers });

  readonly created = async (body: object = counting): Promise<Reply['body']> =>
    (await this.post('/create_job', body)).body;

  readonly register = (job: string, owner: string, more = {}): Promise<Reply> =>
    this.post('/register_data_owner', { job_id: job, data_owner: owner, ...more });

  readonly submit = (job: string): Promise<Reply> => this.post('/submit_job', { job_id: job });

  readonly status = (job: string): Promise<Reply> =>
    this.stand().send('GET', `/get_status?job_id=${job}`);

  /** Registers and stores all files. */
  readonly uploaded = async (job: string, owner: string, more = {}): Promise<Reply> => {
    const registered = await this.register(job, owner, more);
    for (const url of registered.body.presigned_urls as string[])
      expect((await put(url)).status).toBe(200);
    return registered;
  };
}
