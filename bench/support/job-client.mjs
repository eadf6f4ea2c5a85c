// A client of the jobs service as QueryShield has it: create, register, PUT, submit, poll, and adding up `_0` columns.
import { setTimeout as sleep } from 'node:timers/promises';
import { split, writeCsv } from '@glacis/shares';

export const schema = { age: 'years', city: 'code' };
const query = 'SELECT city, COUNT(*) AS n, SUM(age) AS total FROM people GROUP BY city';

async function post(url, body) {
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: reply.status, body: await reply.json() };
}

function must(answer, what) {
  if (answer.status !== 200) throw new Error(`${what}: ${JSON.stringify(answer)}`);
  return answer.body;
}

export async function create({ url }) {
  return must(
    await post(`${url}/create_job`, {
      analysis_name: 'ages',
      query_sql: query,
      security_level: 'semi',
      cloud_providers: ['aws', 'gcp', 'azure'],
      schema,
    }),
    'create_job',
  );
}

/** Registers an owner and stores so many rows. Gives the links. */
export async function upload({ url }, job_id, data_owner, rows) {
  const answer = must(
    await post(`${url}/register_data_owner`, { job_id, data_owner }),
    'register_data_owner',
  );
  const cells = (value) => ({ low: Int32Array.from({ length: rows }, (_, i) => value(i)) });
  const columns = new Map([
    ['age', cells((i) => 20 + (i % 50))],
    ['city', cells((i) => i % 3)],
  ]);
  const files = split({ rows, columns }, { table: schema }).map(writeCsv);
  const links = answer.presigned_urls;
  await Promise.all(links.map((link, i) => put(link, files[i])));
  return links;
}

export async function put(link, body) {
  const headers = { 'content-type': 'text/csv', 'x-ms-blob-type': 'BlockBlob' };
  const reply = await fetch(link, { method: 'PUT', headers, body });
  await reply.arrayBuffer();
  return reply.status;
}

/** A job with three owners and so many rows of each, not yet submitted. */
export async function prepare(service, rows = 34) {
  const { job_id: id, analyst_token: token } = await create(service);
  const links = [];
  for (const owner of ['north', 'south', 'west'])
    links.push(...(await upload(service, id, owner, rows)));
  return { id, token, links };
}

export const submit = ({ url }, { id }) => post(`${url}/submit_job`, { job_id: id });

/** Polls until the job has ended. */
export async function ended({ url }, { id, token }, limitMs = 120_000) {
  const headers = { authorization: `Bearer ${token}` };
  for (const end = performance.now() + limitMs; performance.now() < end; await sleep(25)) {
    const reply = await fetch(`${url}/get_status?job_id=${id}`, { headers });
    const body = await reply.json();
    if (body.status === 'Success' || body.status === 'Fail') return body;
  }
  throw new Error(`job ${id} does not end`);
}

/** Rows of groups, by city. */
export async function open(links) {
  const files = await Promise.all(links.map(async (link) => (await fetch(link)).text()));
  const tables = files.map((file) =>
    file
      .trim()
      .split('\n')
      .map((line) => line.split(',')),
  );
  const [header] = tables[0];
  const cell = (row, name) => {
    const at = header.indexOf(name);
    const slots = tables.map((table) => Number(table[row][at]));
    return name.startsWith('[')
      ? slots.reduce((a, b) => a ^ b)
      : slots.reduce((a, b) => (a + b) | 0);
  };
  const names = header.filter((name) => name.endsWith('_0'));
  return tables[0]
    .slice(1)
    .map((_, i) => Object.fromEntries(names.map((name) => [name.slice(0, -2), cell(i + 1, name)])))
    .filter((row) => row['[#V]'] === 1)
    .toSorted((a, b) => a['[city]'] - b['[city]']);
}
