// A client that knows QueryShield's four routes and nothing of Glacis: fetch, `text/csv`, polling, `_0` columns.
// `node queryshield-client.mjs http://127.0.0.1:8080` runs one job of three owners and prints its rows.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const parties = 3;

async function call(server, path, body, token) {
  const response = await fetch(server + path, {
    method: body ? 'POST' : 'GET',
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

const word = () => randomBytes(4).readInt32LE();

/** Three words that add up to a value, and three whose XOR it is. */
function slotsOf(value) {
  const [a, b, c, d] = [word(), word(), word(), word()];
  return { sum: [(value - a - b) | 0, a, b], xor: [value ^ c ^ d, c, d] };
}

/** The share files of a table, one for each party. */
export function shareFiles(columns, rows) {
  const header = columns.flatMap((name) => [
    `${name}_0`,
    `${name}_1`,
    `[${name}]_0`,
    `[${name}]_1`,
  ]);
  const files = Array.from({ length: parties }, () => [header.join(',')]);
  for (const row of rows) {
    const slots = row.map(slotsOf);
    files.forEach((lines, party) => {
      const next = (party + 1) % parties;
      lines.push(
        slots.map(({ sum, xor }) => [sum[party], sum[next], xor[party], xor[next]]).join(),
      );
    });
  }
  return files.map((lines) => `${lines.join('\n')}\n`);
}

/** Rows that are valid, each value out of the `_0` columns of all files. */
export function open(files) {
  const tables = files.map((text) =>
    text
      .trim()
      .split('\n')
      .map((line) => line.split(',')),
  );
  const [header] = tables[0];
  const cell = (row, name) => {
    const words = tables.map((table) => Number(table[row][header.indexOf(`${name}_0`)]));
    const isXor = name.startsWith('[');
    return words.reduce((a, b) => (isXor ? a ^ b : (a + b) | 0));
  };
  const names = header.filter((name) => name.endsWith('_0')).map((name) => name.slice(0, -2));
  const shown = names.filter((name) => !name.startsWith('[#V') && !name.includes('#hi'));
  const rows = tables[0].slice(1).map((_, i) => i + 1);
  return rows
    .filter((row) => cell(row, '[#V]') === 1)
    .map((row) =>
      Object.fromEntries(shown.map((name) => [name.replace(/^\[(.*)\]$/, '$1'), cell(row, name)])),
    );
}

async function upload(server, job, owner, columns, rows) {
  const { presigned_urls: urls } = await call(server, '/register_data_owner', {
    job_id: job,
    data_owner: owner,
  });
  const files = shareFiles(columns, rows);
  for (const [party, url] of urls.entries()) {
    const headers = { 'content-type': 'text/csv', 'x-ms-blob-type': 'BlockBlob' };
    const { ok, status } = await fetch(url, { method: 'PUT', headers, body: files[party] });
    if (!ok) throw new Error(`upload: ${status}`);
  }
}

/** From `create_job` to the opened rows. @param owners rows by name of the owner */
export async function runJob(server, request, owners) {
  const created = await call(server, '/create_job', request);
  const { job_id: job, analyst_token: token } = created;
  const columns = Object.keys(request.schema);
  for (const [owner, rows] of Object.entries(owners))
    await upload(server, job, owner, columns, rows);
  await call(server, '/submit_job', { job_id: job });
  for (;;) {
    const { status, error, result } = await call(
      server,
      `/get_status?job_id=${job}`,
      undefined,
      token,
    );
    if (status === 'Fail') throw new Error(error);
    if (status === 'Success') {
      return open(await Promise.all(result.map(async (url) => (await fetch(url)).text())));
    }
    await sleep(200);
  }
}

export const sample = {
  analysis_name: 'Speed by road',
  query_sql:
    'SELECT road, COUNT(*) AS cars, SUM(speed) AS total FROM t GROUP BY road ORDER BY road',
  security_level: 'semi',
  cloud_providers: ['aws', 'gcp', 'azure'],
  schema: { road: 'number', speed: 'km/h' },
};

export const owners = {
  alice: Array.from({ length: 12 }, (_, i) => [i % 2, 50 + i]),
  bob: Array.from({ length: 12 }, (_, i) => [i % 2, 60 + i]),
  carol: Array.from({ length: 12 }, (_, i) => [i % 3, 70 - i]),
};

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(await runJob(process.argv[2], sample, owners));
}
