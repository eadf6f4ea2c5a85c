import { waitFor } from '@glacis/runtime';
import { withConnection } from '@glacis/store';
import { testDatabase } from '@glacis/testbed';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./kill-child.mjs', import.meta.url));
const rounds = 4;

/** What a child has told of: the highest step of each key. */
class Acknowledged {
  readonly steps = new Map<string, number>();
  count = 0;

  hear(child: ChildProcess): void {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const [key, step] = line.split(' ') as [string, string];
      this.steps.set(key, Math.max(this.steps.get(key) ?? 0, Number(step)));
      this.count += 1;
    });
  }
}

/**
 * Kills suites of two services under load, the oldest first, and starts others; then drains what is left. Expects that
 * no acknowledged step is lost, none has two effects, and each key keeps its order.
 */
export async function killRounds(options: {
  replicas: number;
  env?: Record<string, string>;
}): Promise<void> {
  const database = await testDatabase();
  const children: ChildProcess[] = [];
  const start = (...args: string[]): ChildProcess => {
    const env = { ...process.env, ...options.env, DATABASE_URL: database.url };
    const child = spawn(process.execPath, [program, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  };
  const acknowledged = new Acknowledged();
  const living = (): ChildProcess[] => children.filter((child) => !hasEnded(child));
  try {
    for (let round = 1; round <= rounds; round++) {
      while (living().length < options.replicas) acknowledged.hear(start());
      const target = acknowledged.count + 100 * round;
      const enough = (): boolean => acknowledged.count > target;
      await waitFor(() => enough() || children.some(({ exitCode }) => exitCode !== null), {
        deadlineMs: 60_000,
        what: 'steps',
      });
      expect(children.map(({ exitCode }) => exitCode)).toEqual(children.map(() => null));
      await kill(living().slice(0, 1));
    }
    await kill(living());
    const [code] = (await once(start('drain'), 'close')) as [number];
    expect(code).toBe(0);
    await expectEffects(database.url, acknowledged.steps);
  } finally {
    await kill(living());
    await database.drop();
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

async function kill(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }),
  );
}

interface Step {
  key: string;
  step: number;
}

async function expectEffects(url: string, acknowledged: Map<string, number>): Promise<void> {
  await withConnection(url, async (db) => {
    const steps = await db.query<Step>('SELECT key, step FROM source.steps');
    const effects = await db.query<Step>('SELECT key, step FROM sink.effects ORDER BY position');
    expect(steps).toHaveLength(8);
    for (const { key, step } of steps) {
      expect(step).toBeGreaterThanOrEqual(acknowledged.get(key) ?? 0);
      const own = effects.filter((effect) => effect.key === key).map((effect) => effect.step);
      expect(own).toEqual(Array.from({ length: step }, (_, i) => i + 1));
    }
  });
}
