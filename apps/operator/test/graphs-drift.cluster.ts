// Thirty kinds of damage to a deployed graph (row 3): each is repaired, or reported as the specification says. The table is
// printed. A real API server and helm, real volumes; pods seem to run.
import { builtIns } from '@glacis/kube';
import { waitFor } from '@glacis/runtime';
import { jest } from '@jest/globals';
import type { Graph } from '../src/graphs/work.js';
import { damages } from './graph-damages.js';
import { condition, GraphWorld } from './graph-world.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

let world: GraphWorld;

beforeAll(async () => {
  world = await GraphWorld.open({
    GLACIS_RESYNC_SECONDS: '5',
    GLACIS_PERSISTENT_ERROR_AFTER: '600',
  });
  await world.apply('g', {
    components: {
      a: {
        outputs: { out: { type: 'volume', flow: 'data' } },
        config: { tier: 'gold' },
      },
    },
    flows: {
      data: { type: 'volume', config: { size: '10Mi' } },
      events: { type: 'kafka', config: { partitions: 1 } },
    },
  });
  await world.ready('g');
});
afterAll(async () => {
  process.stderr.write(`${table.join('\n')}\n`);
  await world?.close();
});

const table: string[] = [`${'damage'.padEnd(72)}repaired or reported`];

const isWell = (graph: Graph): boolean => condition(graph, 'Ready')?.status === 'True';

/** Reconciles of graphs that the operator has done so far. */
async function reconciles(): Promise<number> {
  const port = /operator has started: http [^:]*:(\d+)/.exec(await world.operator.log())?.[1];
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const done = /reconciles_total\{controller="rampartgraphs",result="done"\} (\d+)/.exec(text)?.[1];
  return Number(done ?? 0);
}

/** What it has written, but for its Lease and Events. */
async function writes(): Promise<string[]> {
  const events = await world.cluster.auditEvents();
  return events
    .filter(
      ({ user, verb }) =>
        user.username === 'glacis-operator' && /^(create|update|patch|delete)/.test(verb),
    )
    .map(({ verb, requestURI }) => `${verb} ${requestURI}`)
    .filter((write) => !/leases|events/.test(write));
}

test('row 5: a graph that is as it should be costs no write', async () => {
  const before = await writes();
  const done = await reconciles();
  await waitFor(async () => (await reconciles()) >= done + 3, {
    deadlineMs: 60_000,
    everyMs: 250,
    what: 'three looks at it',
  });
  expect((await writes()).slice(before.length)).toEqual([]);
});

test('row 3: every damage is repaired, or reported', async () => {
  const { items } = await world.client(builtIns.persistentVolumes).list();
  const volumes = Object.fromEntries(
    items.map(({ metadata, spec: of }) => [of?.claimRef?.namespace ?? '', metadata.name]),
  );
  const late: string[] = [];
  for (const { what, harm, mended } of damages(world, volumes)) {
    const began = performance.now();
    await harm();
    const ended = await waitFor(mended, { deadlineMs: 60_000, everyMs: 100 }).then(
      () => true,
      () => false,
    );
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    table.push(`${what.padEnd(72)}${ended ? `${seconds} s` : 'not within 60 s'}`);
    if (!ended) late.push(what);
    await waitFor(async () => isWell(await world.read('g')), {
      deadlineMs: 60_000,
      everyMs: 100,
    }).catch(() => late.push(`${what}: not Ready again`));
  }
  expect(late).toEqual([]);
});
