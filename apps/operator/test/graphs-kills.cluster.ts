// The operator is killed by SIGKILL at random moments of deploy, edit, undeploy, redeploy and delete (row 4). After each the end
// is the same: `npm run faults -- graphs [seed] [points]` runs more of them than the default.
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { waitFor } from '@glacis/runtime';
import { GraphWorld, isCurrent } from './graph-world.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(7_200_000);

const points = Number(process.env['GLACIS_FAULTS_POINTS'] ?? 5);
const seed = Number(process.env['GLACIS_FAULTS_SEED'] ?? 1);
/** Milliseconds within which an action is at work. */
const busyMs = 6_000;

let world: GraphWorld;

beforeAll(async () => {
  world = await GraphWorld.open({ GLACIS_RESYNC_SECONDS: '5' });
});
afterAll(() => world?.close());

const edge = { type: 'volume', flow: 'data' } as const;
const flows = { data: { type: 'volume', config: { size: '10Mi' } } } as const;

const draft = (tier: string): Parameters<GraphWorld['apply']>[1] => ({
  components: {
    a: { outputs: { out: edge }, config: { tier } },
    b: { inputs: { in: edge }, needs: ['a'] },
  },
  flows,
});

const places = ['default-g-a', 'default-g-b', 'default-g-rampart-flows-volume'];

interface Story {
  name: string;
  begin: () => Promise<unknown>;
  /** Of the Namespaces that are left, when it has ended. */
  left: string[];
  phase?: string;
}

/** Each begins where the one before ends. */
function stories(round: number): Story[] {
  const apply = (tier: string, deploy: boolean) => (): Promise<unknown> =>
    world.apply('g', { ...draft(tier), deploy });
  const [first, second] = [`t${round}`, `t${round}-edited`];
  return [
    { name: 'deploy', begin: apply(first, true), left: places, phase: 'Deployed' },
    { name: 'edit', begin: apply(second, true), left: places, phase: 'Deployed' },
    { name: 'undeploy', begin: apply(second, false), left: places.slice(2), phase: 'Undeployed' },
    { name: 'redeploy', begin: apply(second, true), left: places, phase: 'Deployed' },
    { name: 'delete', begin: () => world.delete('g'), left: [] },
  ];
}

/** Names of releases that somebody seems to work on. */
async function locked(): Promise<string[]> {
  const all = await Promise.all(places.map((place) => world.releases(place)));
  return all
    .flatMap((releases) => Object.values(releases))
    .filter(({ status }) => status.startsWith('pending-') || status === 'uninstalling')
    .map(({ namespace, name, status }) => `${namespace}/${name} ${status}`);
}

async function ended({ phase, left }: Story): Promise<boolean> {
  const graph = await world.graphs.find({ namespace: 'default', name: 'g' });
  const isThere = phase ? graph?.status?.phase === phase && isCurrent(graph) : graph === undefined;
  return isThere && (await world.namespaces('g')).join() === left.join();
}

test(`row 4: killed at ${points} moments (seed ${seed}), it ends where it would have ended`, async () => {
  const random = randomOf(seed);
  for (let point = 0; point < points; point += 1) {
    const all = stories(Math.floor(point / 5));
    const story = all[point % all.length];
    if (!story) continue;
    await story.begin();
    const delay = Math.round(random() * busyMs);
    await sleep(delay);
    await world.operator.daemon.kill();
    await world.operator.start();
    await waitFor(() => ended(story), {
      deadlineMs: 120_000,
      everyMs: 200,
      what: `${story.name} to end`,
    });
    expect(await locked()).toEqual([]);
    process.stderr.write(`killed ${delay} ms after ${story.name}: the end is the same\n`);
  }
});

/** mulberry32: 0 (inclusive) to 1, the same for a seed. */
function randomOf(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
