import { randomInt } from 'node:crypto';
import { waitFor } from '@glacis/runtime';

/** What the story is told with: nothing but `fetch`, as a client of QueryShield has it. */
export interface Service {
  /** `http://host:port`. */
  url: string;
}

const post = async (url: string, body: unknown): Promise<Answer> => {
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: reply.status, body: await reply.json() };
};

export interface Answer {
  status: number;
  body: any; // oxlint-disable-line typescript/no-explicit-any -- tests read members by name
}

export type Table = Record<string, number>[];

export interface Story {
  query: string;
  /** By owner. */
  tables: Record<string, Table>;
  /** Further members of create. */
  more?: Record<string, unknown>;
}

export const example: Story = {
  query: 'SELECT city, COUNT(*) AS n, SUM(age) AS total FROM people GROUP BY city',
  tables: {
    north: rowsOf(40, (i) => ({ age: 20 + (i % 50), city: i % 2 })),
    south: rowsOf(30, (i) => ({ age: 30 + (i % 40), city: i % 3 })),
    west: rowsOf(30, (i) => ({ age: 25 + (i % 10), city: i % 2 })),
  },
};

export function rowsOf(count: number, row: (i: number) => Record<string, number>): Table {
  return Array.from({ length: count }, (_, i) => row(i));
}

/** The three share files of a table of INTEGER columns (jobs.md 7.1, 7.2). */
function shareFiles(table: Table): string[] {
  const names = Object.keys(table[0] ?? {});
  const header = names.flatMap((name) => [`${name}_0`, `${name}_1`, `[${name}]_0`, `[${name}]_1`]);
  const lines: number[][][] = [[], [], []];
  const word = (): number => randomInt(0, 2 ** 32) | 0;
  for (const row of table) {
    const cells: number[][] = [[], [], []];
    for (const name of names) {
      const [s1, s2, b1, b2] = [word(), word(), word(), word()];
      const value = row[name] as number;
      const sum = [(value - s1 - s2) | 0, s1, s2];
      const xor = [value ^ b1 ^ b2, b1, b2];
      for (let i = 0; i < 3; i++)
        cells[i]?.push(
          ...[sum, xor].flatMap((slots) => [slots[i], slots[(i + 1) % 3]] as number[]),
        );
    }
    cells.forEach((line, i) => lines[i]?.push(line));
  }
  return lines.map((rows) => [header, ...rows].map((row) => row.join(',')).join('\n') + '\n');
}

/** A job as its analyst knows it. */
export interface Made {
  id: string;
  /** `analyst_token` of mode `open`. */
  token: string;
}

/** A job with the data of all its owners, not yet submitted. */
export async function prepared({ url }: Service, story: Story = example): Promise<Made> {
  const [first] = Object.values(story.tables);
  const columns = Object.keys(first?.[0] ?? {});
  const created = await post(`${url}/create_job`, {
    analysis_name: 'ages',
    query_sql: story.query,
    security_level: 'semi',
    cloud_providers: ['aws', 'gcp', 'azure'],
    schema: Object.fromEntries(columns.map((name) => [name, 'units'])),
    ...story.more,
  });
  if (created.status !== 200) throw new Error(`create_job: ${JSON.stringify(created)}`);
  const { job_id, analyst_token: token } = created.body;
  for (const [data_owner, table] of Object.entries(story.tables)) {
    const registered = await post(`${url}/register_data_owner`, { job_id, data_owner });
    if (registered.status !== 200) throw new Error(`register: ${JSON.stringify(registered)}`);
    const links = registered.body.presigned_urls as string[];
    const headers = { 'content-type': 'text/csv', 'x-ms-blob-type': 'BlockBlob' };
    const files = shareFiles(table);
    const puts = links.map((link, i) => fetch(link, { method: 'PUT', headers, body: files[i] }));
    for (const put of await Promise.all(puts))
      if (!put.ok) throw new Error(`PUT: ${put.status} ${await put.text()}`);
  }
  return { id: job_id, token };
}

export function submit({ url }: Service, { id }: Made): Promise<Answer> {
  return post(`${url}/submit_job`, { job_id: id });
}

export async function statusOf({ url }: Service, { id, token }: Made): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}` };
  const reply = await fetch(`${url}/get_status?job_id=${id}`, { headers });
  return { status: reply.status, body: await reply.json() };
}

/** The last word of `get_status`. */
export function endOf(service: Service, made: Made, deadlineMs = 120_000): Promise<Answer> {
  return waitFor(
    async () => {
      const answer = await statusOf(service, made);
      return ['Success', 'Fail'].includes(answer.body.status) && answer;
    },
    { deadlineMs, everyMs: 50, what: `the end of job ${made.id}` },
  );
}

/** Opens three result files as a client of QueryShield does: adds or XORs the `_0` columns. */
export function opened(files: readonly string[]): Record<string, number>[] {
  const [first = ''] = files;
  const names = (first.split('\n')[0] ?? '').split(',').filter((name) => name.endsWith('_0'));
  const parsed = files.map((file) => {
    const [header = '', ...lines] = file.trim().split('\n');
    return { header: header.split(','), rows: lines.map((line) => line.split(',').map(Number)) };
  });
  const cell = (file: (typeof parsed)[number], row: number, name: string): number =>
    file.rows[row]?.[file.header.indexOf(name)] ?? 0;
  const rows = (parsed[0]?.rows ?? []).map((_, row) =>
    Object.fromEntries(
      names.map((name) => {
        const slots = parsed.map((file) => cell(file, row, name));
        const value = name.startsWith('[')
          ? slots.reduce((a, b) => a ^ b, 0)
          : slots.reduce((a, b) => (a + b) | 0, 0);
        return [name.slice(0, -2), value];
      }),
    ),
  );
  return rows.filter((row) => row['[#V]'] === 1);
}

/** The rows of a job that ended in `Success`, by the links that its status shows to the analyst. */
export async function resultOf(links: readonly string[]): Promise<Record<string, number>[]> {
  const files = await Promise.all(links.map(async (link) => (await fetch(link)).text()));
  return opened(files);
}

/** The opened rows of the query of the {@link example}, by city. */
export async function rowsByCity(links: readonly string[]): Promise<Table> {
  const rows = (await resultOf(links)).map((row) => ({
    city: row['[city]'] ?? row['city'] ?? NaN,
    n: row['n'] ?? NaN,
    total: row['total'] ?? NaN,
  }));
  return rows.toSorted((a, b) => a.city - b.city);
}

/** The same by plain evaluation of all tables; groups of less than five are held back. */
export function expectedOf({ tables }: Story): Table {
  const groups = new Map<number, number[]>();
  for (const { age = 0, city = 0 } of Object.values(tables).flat())
    groups.set(city, [...(groups.get(city) ?? []), age]);
  return [...groups]
    .map(([city, ages]) => ({ city, n: ages.length, total: ages.reduce((a, b) => a + b, 0) }))
    .filter(({ n }) => n >= 5)
    .toSorted((a, b) => a.city - b.city);
}
