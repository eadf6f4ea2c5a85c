import { dirname, join } from 'node:path/posix';
import { Stand } from './stand.js';

let stand: Stand;

beforeAll(async () => {
  stand = await Stand.start({ settings: { gcpProject: '', publicUrl: 'https://jobs.test/door' } });
});
afterAll(() => stand.stop());

/** Every module that the page loads, from its entry on, by its path. */
async function served(): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const missing = ['page/main.js'];
  for (let name = missing.pop(); name !== undefined; name = missing.pop()) {
    const { status, headers, text } = await stand.send('GET', `/ui/jobs/shares/${name}`);
    expect([name, status, headers['content-type']]).toEqual([
      name,
      200,
      'text/javascript; charset=utf-8',
    ]);
    texts.set(name, text);
    for (const [, path = ''] of text.matchAll(
      /^(?:import|export)\b[^'";]*from\s*['"]([^'"]+)['"]/gm,
    )) {
      expect(path).toMatch(/^\.{1,2}\//);
      const next = join(dirname(name), path);
      if (!texts.has(next)) missing.push(next);
    }
  }
  return texts;
}

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
    const modules = await served();
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
