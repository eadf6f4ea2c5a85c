import { Stand } from './stand.js';
import { owners, runJob, sample } from './queryshield-client.mjs';

/** What plain evaluation gives. */
function expected(): Record<string, number>[] {
  const rows = Object.values(owners).flat();
  const roads = [...new Set(rows.map(([road]) => road))].toSorted((a, b) => a - b);
  return roads.map((road) => {
    const own = rows.filter(([each]) => each === road);
    return { road, cars: own.length, total: own.reduce((sum, [, speed]) => sum + speed, 0) };
  });
}

describe('jobs.md 14: a client of QueryShield', () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await Stand.start();
  });
  afterAll(() => stand.stop());

  test('creates, uploads text/csv, submits, polls, and opens by the `_0` columns', async () => {
    const rows = await runJob(stand.program.url, sample, owners);
    // Road 2 has four cars, and a group of fewer than five is held back.
    const shown = expected().filter(({ road }) => road !== 2);
    expect(rows).toEqual(shown);
  });
});
