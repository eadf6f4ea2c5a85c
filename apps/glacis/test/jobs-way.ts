import { readFileSync, statSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from '@glacis/cli';
import { waitFor } from '@glacis/runtime';
import { prepare, type JobTable, type Registered } from '@glacis/shares';
import { temporaryFolder } from '@glacis/testbed';
import type { RunningSuite } from './running-suite.js';

const example = (name: string): string =>
  fileURLToPath(new URL(`../../../examples/jobs/${name}`, import.meta.url));

const owners = ['north', 'south', 'west'];

interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Visits of a ward by people of 16 or more, from the files themselves. */
function expected(): { ward: string; visits: number; mean_cost: string }[] {
  const rows = owners.flatMap((owner) =>
    readFileSync(example(`${owner}.csv`), 'utf8')
      .trim()
      .split('\n')
      .slice(1),
  );
  const cents = new Map<string, number[]>();
  for (const row of rows) {
    const [, age = '', ward = '', , cost = ''] = row.split(',');
    if (Number(age) < 16) continue;
    cents.set(ward, [...(cents.get(ward) ?? []), Math.round(Number(cost) * 100)]);
  }
  return [...cents].map(([ward, costs]) => {
    const mean = Math.round(costs.reduce((a, b) => a + b, 0) / costs.length);
    return { ward, visits: costs.length, mean_cost: (mean / 100).toFixed(2) };
  });
}

/** The way of examples/jobs: analyst and three owners, each with the command line alone. */
export function jobsWay(suite: () => RunningSuite): void {
  let dir: string;

  beforeAll(async () => {
    dir = await temporaryFolder();
  });

  /** @param who keeps its keys in a folder of its own, as on a computer of its own */
  function start(who: string, ...argv: string[]): { ran: Promise<Ran>; err: () => string } {
    const { door, tokenFile } = suite();
    const where = ['--server', door, '--token-file', tokenFile];
    let [out, err] = ['', ''];
    const streams = {
      stdout: { write: (text: string) => (out += text) },
      stderr: { write: (text: string) => (err += text) },
    };
    const keep = ['--keep', join(dir, who)];
    const ran = main([...where, ...argv, ...keep], streams).then((code) => ({ code, out, err }));
    return { ran, err: () => err };
  }
  const glacis = (who: string, ...argv: string[]): Promise<Ran> => start(who, ...argv).ran;
  const query = (name: string): string[] => [example(name), '--schema', example('schema.json')];

  describe('a job of three owners, by its commands', () => {
    it('jobs.md 3.2: sql prints leakage and estimate, and with --dry-run makes nothing', async () => {
      const { code, out } = await glacis(
        'analyst',
        'jobs',
        'sql',
        ...query('costs.sql'),
        '--owners',
        'x',
        '--dry-run',
      );
      expect(code).toBe(0);
      expect(out).toMatch(/Who learns what\n {2}Everyone learns/);
      expect(out).toMatch(/Estimate: \d+ rounds/);
      expect(JSON.parse((await glacis('analyst', 'jobs', 'list', '-o', 'json')).out)).toEqual([]);
    });

    it('jobs.md 3.2: a refused query is exit 2 with its place', async () => {
      const bad = await glacis('analyst', 'jobs', 'dry-run', ...query('schema.json'));
      expect(bad.code).toBe(2);
      expect(bad.err).toMatch(/Query not supported: .* at line 1, column 1\n {2}\{\n {2}\^/);
    });

    it('jobs.md 3.2: from the query over claims, shares and uploads to rows that were checked', async () => {
      const argv = [...query('costs.sql'), '--owners', owners.join(','), '--yes', '-o', 'json'];
      const analyst = start('analyst', 'jobs', 'sql', ...argv);
      const links = await waitFor(
        async () => {
          const found = [...analyst.err().matchAll(/^for (\w+), until \S+: (\S+)$/gm)];
          return (
            found.length === owners.length &&
            found.map(([, owner = '', link = '']) => ({ owner, link }))
          );
        },
        { what: 'claim links', deadlineMs: 60_000 },
      );
      for (const { owner, link } of links) {
        const shared = await glacis(
          owner,
          'jobs',
          'share',
          example(`${owner}.csv`),
          '--claim',
          link,
          '--yes',
        );
        expect(shared).toMatchObject({ code: 0, err: '' });
        expect(shared.out).toContain('ward: to form groups');
        expect(shared.out).toContain('column patient is not shared');
        expect(shared.out).not.toContain(`${owner}-0001`);
      }
      const { code, out, err } = await analyst.ran;
      expect(err).toContain('groups_may_be_suppressed');
      expect(code).toBe(0);
      const rows = JSON.parse(out) as ReturnType<typeof expected>;
      const byWard = (a: { ward: string }, b: { ward: string }): number =>
        a.ward < b.ward ? -1 : 1;
      expect(rows.toSorted(byWard)).toEqual(expected().toSorted(byWard));
      expect(rows.map(({ visits }) => visits)).toEqual(
        rows.map(({ visits }) => visits).toSorted((a, b) => b - a),
      );
    });

    it('jobs.md 3.2: keys lie in files that only their owner reads, and no share is left behind', () => {
      const kept = ['analyst', ...owners].flatMap((who) =>
        readdirSync(join(dir, who), { recursive: true, encoding: 'utf8', withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ name, parentPath }) => join(parentPath, name)),
      );
      expect(kept).toHaveLength(4);
      for (const file of kept) expect(statSync(file).mode & 0o777).toBe(0o600);
    });

    it('shows the job, opens it again as CSV, and has nothing for another key', async () => {
      const [job] = JSON.parse((await glacis('analyst', 'jobs', 'list', '-o', 'json')).out) as {
        job_id: string;
        state: string;
      }[];
      const id = job!.job_id;
      expect(job!.state).toBe('success');
      const status = await glacis('analyst', 'jobs', 'status', id, '-o', 'json');
      expect(JSON.parse(status.out)).toMatchObject({ status: 'Success', execution: 'local' });
      expect((await glacis('analyst', 'jobs', 'open', id, '-o', 'csv')).out).toMatch(
        /^ward,visits,mean_cost\n(\w+,\d+,\d+\.\d\d\n){3,4}$/,
      );
      const stranger = await glacis('stranger', 'jobs', 'open', id);
      expect(stranger).toMatchObject({ code: 2, out: '' });
      expect(stranger.err).toContain('sealed to a key that is not here');
      const policy = await glacis('analyst', 'jobs', 'policy', 'check', example('policy.json'), id);
      expect(policy).toMatchObject({ code: 0 });
      const owned = await glacis('analyst', 'jobs', 'owners', id);
      expect(owned.out.match(/north|south|west/g)).toHaveLength(3);
      expect((await glacis('analyst', 'job', 'logs', id)).code).toBe(0);
      expect((await glacis('analyst', 'jobs', 'cancel', id)).code).toBe(1);
    });
  });
  describe('owners without a link, in mode open', () => {
    const tables = {
      people: {
        id: { type: 'INTEGER', unit: 'id', unique: true },
        city: { type: 'CATEGORY', categories: ['Bern', 'Oslo'] },
      },
      visits: { person: 'id', cost: 'euro' },
    } as const;
    const people = Array.from({ length: 12 }, (_, id) => [id, id % 2 ? 'Oslo' : 'Bern']);
    const visits = Array.from({ length: 24 }, (_, i) => [i % 12, 100 + i]);
    const csv = (rows: readonly (readonly unknown[])[]): string => rows.join('\n');
    let id: string;

    const file = (name: string, content: string | Uint8Array): string => {
      writeFileSync(join(dir, name), content);
      return join(dir, name);
    };
    /** On a computer that has no token of the platform. */
    const asOwner = (owner: string, table: string, ...argv: string[]): Promise<Ran> => {
      const whose = ['--job', id, '--owner', owner, '--table', table];
      return glacis(owner, 'job', ...argv, ...whose, '--token-file', join(dir, 'none'));
    };

    it('jobs.md 3.2: create, and share by name, of one of two tables', async () => {
      const sql = `SELECT people.city, COUNT(*) AS n, SUM(visits.cost) AS total
        FROM people JOIN visits ON people.id = visits.person GROUP BY people.city`;
      const schema = file('tables.json', JSON.stringify({ tables }));
      const argv = [file('join.sql', sql), '--schema', schema, '-o', 'json'];
      const created = await glacis('analyst', 'jobs', 'create', ...argv);
      expect(created).toMatchObject({ code: 0 });
      ({ job_id: id } = JSON.parse(created.out) as { job_id: string });
      const empty = await glacis('analyst', 'jobs', 'submit', id);
      expect(empty).toMatchObject({ code: 3, err: expect.stringContaining('no_owners') });
      const unfit = file('unfit.csv', 'id,city\nx,Rome');
      expect((await asOwner('clinic', 'people', 'share', unfit, '--yes')).code).toBe(3);
      const good = file('people.csv', csv([['id', 'city'], ...people]));
      const shared = await asOwner('clinic', 'people', 'share', good, '--yes');
      expect(shared).toMatchObject({ code: 0, err: '' });
    });

    it('jobs.md 3.2: register prints links and no token; upload stores files made elsewhere', async () => {
      const { code, out } = await asOwner('insurer', 'visits', 'register', '-o', 'json');
      expect(code).toBe(0);
      expect(out).not.toContain('owner_token');
      const table: JobTable = {
        name: 'visits',
        columns: tables.visits,
        needed: { default: 'deny' },
      };
      const text = csv([['person', 'cost'], ...visits]);
      const made = await prepare(text, table, JSON.parse(out) as Registered);
      if ('findings' in made) throw new Error('the rows do not fit');
      const files = made.files.map(({ bytes }, party) => file(`share-${party}.csv`, bytes));
      const uploaded = await asOwner('insurer', 'visits', 'upload', ...files, '-o', 'json');
      expect(uploaded.code).toBe(0);
      expect(JSON.parse(uploaded.out)).toMatchObject(
        [0, 1, 2].map((party) => ({ party, rows: 24 })),
      );
    });

    it('jobs.md 3.2: submit, watch and open give the rows of the join', async () => {
      expect(await glacis('analyst', 'jobs', 'submit', id)).toMatchObject({ code: 0, err: '' });
      const watched = await glacis('analyst', 'jobs', 'watch', id);
      expect(watched.out).toMatch(/Running Experiment[\s\S]*success\n$/);
      const { out } = await glacis('analyst', 'jobs', 'open', id, '-o', 'json');
      const total = (city: string): number =>
        visits.reduce((sum, [who, cost]) => sum + (people[who!]?.[1] === city ? cost! : 0), 0);
      const rows = JSON.parse(out) as { city: string }[];
      expect(rows.toSorted((a, b) => (a.city < b.city ? -1 : 1))).toEqual(
        ['Bern', 'Oslo'].map((city) => ({ city, n: 12, total: total(city) })),
      );
    });
  });
}
