import { waitFor } from '@glacis/runtime';
import { withConnection } from '@glacis/store';
import { testDatabase } from '@glacis/testbed';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./kill-child.mjs', import.meta.url));
const rounds = 4;
const children: ChildProcess[] = [];

afterEach(() => children.forEach((child) => child.kill('SIGKILL')));

function start(url: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

test('kill -9 at any moment under load loses no event, doubles no effect and keeps the order per key', async () => {
  const database = await testDatabase();
  const acknowledged = new Map<string, number>();
  for (let round = 1; round <= rounds; round++) {
    const child = start(database.url);
    let steps = 0;
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const [key, step] = line.split(' ') as [string, string];
      acknowledged.set(key, Math.max(acknowledged.get(key) ?? 0, Number(step)));
      steps += 1;
    });
    const closed = once(child, 'close');
    await waitFor(() => steps > 100 * round || child.exitCode !== null, { deadlineMs: 30_000 });
    expect(child.exitCode).toBeNull();
    child.kill('SIGKILL');
    await closed;
  }
  const drained = start(database.url, 'drain');
  const [code] = (await once(drained, 'close')) as [number];
  expect(code).toBe(0);

  await withConnection(database.url, async (db) => {
    const steps = await db.query<{ key: string; step: number }>(
      'SELECT key, step FROM source.steps',
    );
    const effects = await db.query<{ key: string; step: number }>(
      'SELECT key, step FROM sink.effects ORDER BY position',
    );
    expect(steps).toHaveLength(8);
    for (const { key, step } of steps) {
      expect(step).toBeGreaterThanOrEqual(acknowledged.get(key) ?? 0);
      const own = effects.filter((effect) => effect.key === key).map((effect) => effect.step);
      expect(own).toEqual(Array.from({ length: step }, (_, i) => i + 1));
    }
  });
  await database.drop();
}, 120_000);
