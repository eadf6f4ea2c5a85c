// The owner page in a DOM: the document and the modules that are served, with stand-ins for IndexedDB and for how an upload
// goes on, which happy-dom does not have.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { waitFor } from '@glacis/runtime';
import { Window, type HTMLElement, type HTMLInputElement } from 'happy-dom';
import { folderOf, servedModules } from './served-page.js';
import { Stand } from './stand.js';

let stand: Stand;
let modules: Map<string, string>;
let job: string;
let analyst: Record<string, string>;
const kept = new Map<unknown, { key: { signing: { extractable: boolean } } }>();
const windows: Window[] = [];

beforeAll(async () => {
  stand = await Stand.start();
  await stand.withoutParties();
  modules = await servedModules(stand);
  const created = await stand.send('POST', '/create_job', {
    body: {
      analysis_name: 'ages',
      query_sql: 'SELECT COUNT(*) AS n, SUM(Age) AS total FROM t',
      security_level: 'semi',
      cloud_providers: ['aws', 'gcp', 'azure'],
      schema: { Age: 'years' },
    },
  });
  job = created.body.job_id;
  analyst = { authorization: `Bearer ${created.body.analyst_token}` };
});
afterAll(async () => {
  for (const window of windows) await window.happyDOM.close();
  await stand.stop();
});

async function invite(owner: string): Promise<string> {
  const wish = { body: { data_owner: owner }, headers: analyst };
  return (await stand.send('POST', `/jobs/${job}/owners`, wish)).body.claim_url;
}

/** As much of IndexedDB as the page needs: one store, whose answers come later. */
const indexedDB = {
  open: () => {
    const answered = (result?: unknown): EventTarget => {
      const request = Object.assign(new EventTarget(), { result });
      queueMicrotask(() => request.dispatchEvent(new Event('success')));
      return request;
    };
    const objectStore = (): object => ({
      get: (id: unknown) => answered(kept.get(id)),
      put: (owner: never, id: unknown) => answered(void kept.set(id, owner)),
    });
    return answered({ transaction: () => ({ objectStore }), close: () => undefined });
  },
};

/** What a visitor has in front. */
interface Visit {
  at<T extends HTMLElement>(id: string): T;
  text: (id: string) => string;
  choose: (csv: string) => void;
  /** Of the progress bar, each time that something was sent. */
  shares: number[];
}

/** @param uploadTo where uploads go, for a line that breaks */
async function visit(link: string, uploadTo = (url: string): string => url): Promise<Visit> {
  const window = new Window({ url: link });
  windows.push(window);
  const { text } = await stand.send('GET', new URL(link).pathname);
  // Scripts of the document are loaded below, by Node.
  window.document.write(text.replace(/<(?:script|link)[^>]*>(?:<\/script>)?/g, ''));
  const at = <T extends HTMLElement>(id: string): T => window.document.querySelector(`#${id}`) as T;
  const shares: number[] = [];
  class Upload extends window.XMLHttpRequest {
    override open(method: string, url: string): void {
      super.open(method, uploadTo(url));
    }
    override send(body: never): void {
      const { byteLength } = body as Uint8Array;
      const loaded = byteLength / 2;
      this.upload.dispatchEvent(new window.ProgressEvent('progress', { loaded }));
      shares.push(at<HTMLElement & { value: number }>('progress').value);
      super.send(body);
    }
  }
  const { document, location } = window;
  Object.assign(globalThis, { document, location, indexedDB, XMLHttpRequest: Upload });
  await import(pathToFileURL(join(await folderOf(modules), 'page/main.js')).href);
  const choose = (csv: string): void => {
    const transfer = new window.DataTransfer();
    transfer.items.add(new window.File([csv], 'ages.csv'));
    const file = at<HTMLInputElement>('file');
    Object.assign(file, { files: transfer.files });
    file.dispatchEvent(new window.Event('change'));
  };
  return { at, text: (id) => at(id).textContent, choose, shares };
}

const says = ({ text }: Visit, what: string): Promise<unknown> =>
  waitFor(() => text('status').includes(what), { what });

test('jobs.md 3.2: an owner reads, chooses a file that is checked, approves, and sees it go', async () => {
  const link = await invite('north');
  const page = await visit(link);
  await says(page, 'Choose your file');
  expect(page.text('owner')).toBe('north');
  expect(page.text('job')).toContain('SELECT COUNT(*) AS n, SUM(Age) AS total FROM t');
  expect(['answer', 'tables', 'raw'].map((id) => page.at(id).hidden)).toEqual([false, true, true]);
  const approve = page.at<HTMLInputElement>('approve');
  page.choose('Size\n42\n');
  await says(page, 'column');
  expect(approve.disabled).toBe(true);
  page.choose('Age\n42\n-7\n');
  await says(page, '2 rows fit the schema.');
  expect(page.text('granted')).toContain('Age');
  expect(approve.disabled).toBe(false);
  approve.click();
  await says(page, 'Shared as upload set 1.');
  expect(page.shares).toEqual([1 / 6, 3 / 6, 5 / 6].map((share) => expect.closeTo(share, 3)));
  expect(approve.disabled).toBe(true);
  expect([...kept.values()].map(({ key }) => key.signing.extractable)).toEqual([false]);
  const { body } = await stand.send('GET', `/jobs/${job}/owners`, { headers: analyst });
  expect(body.items).toMatchObject([{ data_owner: 'north', effective_set: 1 }]);

  // The claim is used up; who comes again with the key goes on.
  const again = await visit(link);
  await says(again, 'Choose your file');
  kept.clear();
  await says(await visit(link), 'claim_used');
});

test('an upload that never comes through ends in words, and can be approved again', async () => {
  let broken = true;
  const nowhere = 'http://127.0.0.1:9/';
  const page = await visit(await invite('south'), (url) => (broken ? nowhere : url));
  await says(page, 'Choose your file');
  page.choose('Age\n42\n');
  await says(page, '1 rows fit');
  page.at('approve').click();
  await says(page, 'not all files are stored');
  expect(page.shares).toHaveLength(5);
  broken = false;
  page.choose('Age\n42\n');
  await says(page, '1 rows fit');
  page.at('approve').click();
  await says(page, 'Shared as upload set 2.');
});
