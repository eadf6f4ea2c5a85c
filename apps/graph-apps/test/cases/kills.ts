import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@glacis/runtime';
import { graphBody } from '../graphs.js';
import type { Stand } from '../stand.js';

const writer = fileURLToPath(new URL('../writer.mjs', import.meta.url));
const kills = 5;

/** How a writer of its own gets at the store. */
export interface KillOptions {
  start: () => Promise<Stand>;
  /** Arguments of the writer after the URL of the database. */
  store: () => string[];
}

/** Row 7: the store survives kill -9 of who writes to it. */
export function killCases({ start, store }: KillOptions): void {
  let stand: Stand;
  beforeAll(async () => (stand = await start()));
  afterAll(() => stand.stop());

  /** Kills a writer in the middle of its work. @returns the last number that it had acknowledged */
  async function killedAfter(count: number): Promise<number> {
    const args = [writer, stand.database.url, ...store()];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    let last = 0;
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line);
      seen += 1;
      if (seen === count) setTimeout(() => child.kill('SIGKILL'), Math.random() * 10);
    }
    await ended;
    return last;
  }

  test('row 7: what was acknowledged before a kill -9 is there, told once, and the next save goes on', async () => {
    await stand.send('POST', '/graphs', { body: graphBody({ name: 'killed' }) });
    for (let kill = 0; kill < kills; kill++) {
      const acknowledged = await killedAfter(3 + kill);
      const { body: app, headers } = await stand.send('GET', '/apps/team_killed');
      const numbers = app.versions.map(({ version }: { version: string }) => Number(version));
      expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => i + 1));
      expect(numbers.length).toBeGreaterThanOrEqual(acknowledged);
      // One change of the App is one version, its patch and its event, or nothing of it.
      expect(headers.etag).toBe(`"${numbers.length}"`);
      expect(app.versions[0].notes).toBe(`saw ${numbers.length}`);
      const told = (): Promise<unknown[]> => stand.events('version.saved');
      await waitFor(async () => (await told()).length === numbers.length, { deadlineMs: 20_000 });
    }
    const next = await stand.send('POST', '/apps/team_killed/graph', {
      body: graphBody({ name: 'killed' }),
    });
    expect(next.status).toBe(200);
  });
}
