import { testIdentity, type TestIdentity } from '@glacis/identity/testing';
import { defineProblem, Operation, problemCatalogue } from '@glacis/http';
import { ManualClock } from '@glacis/runtime';
import { StoreModule } from '@glacis/store';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { Controller, Get, Module } from '@nestjs/common';
import fc from 'fast-check';
import { openDoor, type Door } from '../test/door.js';
import { html, prefersJson } from './html.js';
import { gatewayMigrations } from './migrations.js';
import { OpenApi } from './openapi/open-api.js';
import { ServiceDocuments } from './openapi/service-documents.js';

defineProblem({
  slug: 'test-markup',
  status: 409,
  title: 'A <b>bold</b> title',
  message: '',
  about: `"quoted" & <script>alert('x')</script>`,
});

@Controller('things')
class ThingsController {
  @Get(':id')
  @Operation({ access: 'member', summary: 'One thing' })
  get(): object {
    return {};
  }
}

const thingsStore = StoreModule.forService('things', []);

@Module({ imports: [thingsStore], controllers: [ThingsController] })
class ThingsModule {}

let database: TestDatabase;
let door: Door;
let member: string;
let identity: TestIdentity;

beforeAll(async () => {
  database = await testDatabase({ gateway: gatewayMigrations });
  const clock = new ManualClock(new Date());
  identity = await testIdentity(clock);
  door = await openDoor({ databaseUrl: database.url, clock, identity, modules: [ThingsModule] });
  member = await identity.token();
});

afterAll(async () => {
  await door.close();
  await database.drop();
});

const asJson = { headers: { accept: 'application/json' } };

describe('/problems', () => {
  test('is a page by default, and JSON for whoever prefers it', async () => {
    const asPage = await door.call('/problems/malformed');
    expect(asPage.status).toBe(200);
    expect(asPage.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(asPage.headers.get('vary')).toBe('Accept');
    expect(asPage.text).toContain('Status 400 Bad Request');
    const { json } = await door.call('/problems/malformed', asJson);
    expect(json).toEqual({
      slug: 'malformed',
      type: 'https://glacis.dev/problems/malformed',
      status: 400,
      title: 'Bad Request',
      about: expect.any(String),
    });
  });

  test('lists every kind of error of the process, each with a page of its own', async () => {
    const list = await door.call('/problems');
    const { json } = await door.call('/problems', asJson);
    const slugs = problemCatalogue().map(({ slug }) => slug);
    expect(json.problems.map(({ slug }) => slug)).toEqual(slugs);
    for (const slug of slugs) {
      expect(list.text).toContain(`href="/problems/${slug}"`);
      expect((await door.call(`/problems/${slug}`)).status).toBe(200);
    }
  });

  test('explains the very error that a caller met', async () => {
    const refused = await door.call('/things/1');
    const path = new URL(refused.json.type).pathname;
    expect((await door.call(path, asJson)).json).toMatchObject({
      slug: refused.json.code,
      status: 401,
    });
  });

  test('shows no text as markup', async () => {
    const { text } = await door.call('/problems/test-markup');
    expect(text).toContain('A &lt;b&gt;bold&lt;/b&gt; title');
    expect(text).toContain(
      '&quot;quoted&quot; &amp; &lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;',
    );
    expect(text).not.toContain('<script');
  });

  test('answers 404 for an error that does not exist', async () => {
    for (const slug of ['nothing', '__proto__', '%3Cscript%3E', 'x'.repeat(3000)]) {
      const reply = await door.call(`/problems/${slug}`);
      expect(reply).toMatchObject({ status: 404, json: { code: 'not-found' } });
    }
  });
});

describe('the pages', () => {
  test('/ and /ui say what this is, and every link of theirs leads somewhere', async () => {
    const [root, ui] = [await door.call('/'), await door.call('/ui')];
    expect(root).toMatchObject({ status: 200, text: ui.text });
    expect(root.headers.get('content-type')).toBe('text/html; charset=utf-8');
    door.app.get(OpenApi, { strict: false }).attach(door.app);
    const links = [...root.text.matchAll(/href="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) expect((await door.call(link)).status).toBe(200);
  });

  test('escape whatever is put into them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { text: written } = html`<p title="${text}">${text}</p>`;
        expect(written.match(/[<>"]/g)).toEqual(['<', '"', '"', '>', '<', '>']);
      }),
    );
  });

  test.each([
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', false],
    ['application/json', true],
    ['APPLICATION/JSON ; q=0.4', true],
    ['application/json;q=0.4, text/html;q=0.5', false],
    ['application/json, */*;q=0.1', true],
    ['application/*', true],
    ['application/json;q=nonsense', false],
  ])('Accept: %s prefers JSON: %s', (accept, expected) => {
    expect(prefersJson(accept)).toBe(expected);
  });
});

describe('/openapi.json', () => {
  test('is one document of all modules, made once', async () => {
    const openApi = door.app.get(OpenApi, { strict: false });
    openApi.attach(door.app);
    const { json, headers } = await door.call('/openapi.json');
    expect(headers.get('content-type')).toBe('application/json');
    expect(json.openapi).toBe('3.1.0');
    expect(Object.keys(json.paths)).toEqual(
      expect.arrayContaining([
        '/tokens',
        '/tokens/{id}',
        '/things/{id}',
        '/audit/gateway/verification',
        '/events/gateway/dead-letters',
        '/problems/{slug}',
      ]),
    );
    expect(await openApi.document()).toBe(await openApi.document());
  });

  test('is unavailable until the program names the application, and then no longer', async () => {
    const fresh = new OpenApi(door.app.get(ServiceDocuments, { strict: false }));
    await expect(fresh.document()).rejects.toMatchObject({ status: 503 });
    fresh.attach(door.app);
    await expect(fresh.document()).resolves.toContain('"/tokens"');
  });
});

test('a token without tenant opens no route of a tenant', async () => {
  const bearer = await identity.token({ tenant: null, roles: ['admin', 'platform-admin'] });
  expect(await door.call('/things/1', { bearer })).toMatchObject({
    status: 403,
    json: { code: 'forbidden' },
  });
  expect((await door.call('/things/1', { bearer: member })).status).toBe(200);
});

describe('/services', () => {
  const services = async () => (await door.call('/services', { bearer: member })).json.services;

  test('needs a token', async () => {
    expect((await door.call('/services')).status).toBe(401);
  });

  test('names every service of the process with its version', async () => {
    const version = expect.stringMatching(/^\d+\.\d+\.\d+/);
    expect(await services()).toEqual([
      { name: 'gateway', version, ready: true },
      { name: 'things', version, ready: true },
    ]);
  });

  test('says of each whether it is ready', async () => {
    const ready = async () => (await services()).map((each) => each.ready);
    const down = (): void => {
      throw new Error('down');
    };
    door.health.add('things signer', down);
    expect(await ready()).toEqual([true, false]);
    door.health.remove('things signer');
    door.health.add('bus', down);
    expect(await ready()).toEqual([false, false]);
    door.health.remove('bus');
    expect(await ready()).toEqual([true, true]);
  });
});
