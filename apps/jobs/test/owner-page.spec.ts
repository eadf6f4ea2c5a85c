import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { folderOf, servedModules } from './served-page.js';
import { Stand } from './stand.js';

const publicUrl = 'https://jobs.test/door';

let stand: Stand;

beforeAll(async () => {
  stand = await Stand.start({ settings: { gcpProject: '', publicUrl } });
  await stand.withoutParties();
});
afterAll(() => stand.stop());

describe('the owner page', () => {
  test('jobs.md 3.2: the same page for whatever job, nothing inline, nothing from elsewhere', async () => {
    const page = await stand.send('GET', '/ui/jobs/c0ffee/share');
    expect(page.status).toBe(200);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect(page.headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' https://jobs.test; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    );
    expect((await stand.send('GET', '/ui/jobs/x/share')).text).toBe(page.text);
    expect(page.text).not.toMatch(/<script(?![^>]*\ssrc=)|\son\w+=|style=|https?:/);
    for (const [, path = ''] of page.text.matchAll(/(?:src|href)="([^"]+)"/g))
      expect((await stand.send('GET', path)).status).toBe(200);
  });

  test('its modules are all there, import each other by path alone, and write no markup', async () => {
    const modules = await servedModules(stand);
    expect(modules.size).toBeGreaterThan(20);
    for (const text of modules.values())
      expect(text).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/,
      );
  });

  test.each(['page/none.js', '..%2f/index.js', 'page/..%2Findex.js', 'page/main.d.ts'])(
    'a module %s is not there',
    async (name) => {
      expect((await stand.send('GET', `/ui/jobs/shares/${name}`)).status).toBe(404);
    },
  );
});

/** What a page shows; the members that these tests read. */
interface View {
  step: string;
  [member: string]: unknown;
}

interface Page {
  open(link: string): Promise<void>;
  choose(csv: string): Promise<void>;
  approve(consent: boolean): Promise<void>;
}

/** The page as it is served, in Node: its modules from a folder, with a store of keys and an upload in place of a browser's. */
describe('the modules of the owner page, as they are served', () => {
  let makePage: (ports: object) => Page;
  const keys = new Map<string, { key: { signing: CryptoKeyLike }; token?: string }>();
  const views: View[] = [];
  const stored: string[] = [];
  let job: string;
  let analyst: Record<string, string>;

  interface CryptoKeyLike {
    extractable: boolean;
  }

  beforeAll(async () => {
    const folder = await folderOf(await servedModules(stand));
    const flow = (await import(pathToFileURL(join(folder, 'page/flow.js')).href)) as {
      OwnerPage: new (ports: object) => Page;
    };
    makePage = (ports) => new flow.OwnerPage(ports);
    const created = await stand.send('POST', '/create_job', {
      body: {
        analysis_name: 'ages',
        query_sql: 'SELECT COUNT(*) AS n, SUM(Age) AS total FROM t',
        security_level: 'semi',
        cloud_providers: ['aws', 'gcp', 'azure'],
        schema: { Name: { type: 'VARCHAR', length: 20 }, Age: 'years' },
      },
    });
    job = created.body.job_id;
    analyst = { authorization: `Bearer ${created.body.analyst_token}` };
  });

  const local = (url: string): string => url.replace(publicUrl, stand.program.url);
  const ports = {
    keys: {
      load: async (id: string) => keys.get(id),
      save: async (id: string, owner: never) => void keys.set(id, owner),
    },
    put: async (body: { url: string; headers: Record<string, string>; bytes: Uint8Array }) => {
      stored.push(Buffer.from(body.bytes.subarray(0, 6)).toString());
      const bytes = Buffer.from(body.bytes);
      const sent = { body: bytes, headers: body.headers };
      return (await stand.send('PUT', local(body.url), sent)).status;
    },
    show: (view: View) => void views.push(view),
  };

  async function invite(owner: string): Promise<string> {
    const wish = { body: { data_owner: owner }, headers: analyst };
    const invited = await stand.send('POST', `/jobs/${job}/owners`, wish);
    return local(invited.body.claim_url);
  }

  const csv = 'Age,Name\n42,Ada\n-7,Zoe\n';

  test('jobs.md 3.2: reads, checks, signs with a key that cannot be read out, shares and uploads', async () => {
    const page = makePage(ports);
    await page.open(await invite('north'));
    expect(views.at(-1)).toMatchObject({ step: 'read', dataOwner: 'north', rawRows: false });
    expect(JSON.stringify(views.at(-1))).toContain('Age: in SUM');
    await page.choose('Age\n42\n');
    expect(views.at(-1)).toMatchObject({ step: 'unfit', findings: [{ code: 'missing_column' }] });
    await page.approve(false);
    expect(stored).toEqual([]);
    await page.choose(csv);
    expect(views.at(-1)).toMatchObject({ step: 'fits', rows: 2 });
    await page.approve(false);
    expect(views.at(-1)).toMatchObject({ step: 'done', set: 1 });
    expect(stored).toEqual(['GSEAL1', 'GSEAL1', 'GSEAL1']);
    const [kept] = keys.values();
    expect(kept?.key.signing.extractable).toBe(false);
    const { body } = await stand.send('GET', `/jobs/${job}/owners`, { headers: analyst });
    expect(body.items).toMatchObject([
      { data_owner: 'north', effective_set: 1, policy: { default: 'deny' } },
    ]);
  });

  test('a page that is opened again goes on with the kept key; without it the link is used up', async () => {
    const link = await invite('south');
    await makePage(ports).open(link);
    await makePage(ports).open(link);
    expect(views.at(-1)).toMatchObject({ step: 'read', dataOwner: 'south' });
    const elsewhere = { load: async () => undefined, save: async () => undefined };
    await makePage({ ...ports, keys: elsewhere }).open(link);
    expect(views.at(-1)).toMatchObject({
      step: 'failed',
      message: expect.stringContaining('claim_used'),
    });
    await makePage(ports).open(link.replace('#claim=', '#'));
    expect(views.at(-1)).toMatchObject({ step: 'failed' });
  });

  test('an upload that breaks is tried again with new links; a job that was submitted ends it', async () => {
    let broken = 2;
    const shaky = {
      ...ports,
      put: async (body: never) => {
        broken -= 1;
        if (broken >= 0) throw new Error('the connection broke');
        return ports.put(body);
      },
    };
    const page = makePage(shaky);
    await page.open(await invite('west'));
    await page.choose(csv);
    await page.approve(false);
    expect(views.at(-1)).toMatchObject({ step: 'done' });
    const refusing = makePage({ ...ports, put: async () => 409 });
    await refusing.open(await invite('east'));
    await refusing.choose(csv);
    await refusing.approve(false);
    expect(views.at(-1)).toMatchObject({ step: 'failed', message: 'the job takes no more data' });
  });
});
