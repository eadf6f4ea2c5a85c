import fc from 'fast-check';
import { runTasks, type Outcome, type Task } from './tasks.js';

/** Tasks that wait for earlier ones only, so that there is no circle; some fail. */
const graphs = fc.array(
  fc.record({ after: fc.array(fc.nat(), { maxLength: 3 }), fails: fc.boolean() }),
  {
    maxLength: 12,
  },
);

interface Trial {
  outcomes: ReadonlyMap<string, Outcome>;
  began: string[];
  most: number;
}

async function trial(
  given: readonly { after: number[]; fails: boolean }[],
  options: { limit?: number; stopAfter?: number } = {},
): Promise<Trial> {
  const { limit = 3, stopAfter = Infinity } = options;
  const began: string[] = [];
  let working = 0;
  let most = 0;
  const tasks = given.map(({ after, fails }, index): Task => {
    const id = `t${index}`;
    return {
      id,
      subject: `s${index}`,
      after: index === 0 ? [] : [...new Set(after.map((each) => `t${each % index}`))],
      run: async () => {
        began.push(id);
        working += 1;
        most = Math.max(most, working);
        await Promise.resolve();
        working -= 1;
        if (fails) throw new Error(id);
      },
    };
  });
  const outcomes = await runTasks(tasks, { limit, stopped: () => began.length >= stopAfter });
  for (const { id, after } of tasks) {
    const outcome = outcomes.get(id);
    const all = after.every((each) => outcomes.get(each)?.kind === 'done');
    expect(began.includes(id)).toBe(outcome?.kind === 'done' || outcome?.kind === 'failed');
    if (began.includes(id)) expect(all).toBe(true);
  }
  return { outcomes, began, most };
}

test('every task ends once, after all that it waits for, and what fails keeps back only what comes after it', async () => {
  await fc.assert(
    fc.asyncProperty(graphs, async (given) => {
      const { outcomes, began, most } = await trial(given);
      expect(outcomes.size).toBe(given.length);
      expect(new Set(began).size).toBe(began.length);
      expect(most).toBeLessThanOrEqual(3);
      expect([...outcomes.values()].every(({ kind }) => kind !== 'dropped')).toBe(true);
    }),
  );
});

test('nothing begins once it is to stop', async () => {
  await fc.assert(
    fc.asyncProperty(graphs, fc.nat(4), async (given, stopAfter) => {
      const { began } = await trial(given, { limit: 1, stopAfter });
      expect(began.length).toBeLessThanOrEqual(stopAfter);
    }),
  );
});

test('graph-apps.md 4.2: a dependant names what it waits for', async () => {
  const chain = [
    { after: [], fails: true },
    { after: [0], fails: false },
    { after: [1], fails: false },
    { after: [], fails: false },
  ];
  const { outcomes } = await trial(chain);
  expect(Object.fromEntries(outcomes)).toEqual({
    t0: { kind: 'failed', error: new Error('t0') },
    t1: { kind: 'skipped', waitsFor: 's0' },
    t2: { kind: 'skipped', waitsFor: 's1' },
    t3: { kind: 'done' },
  });
});
