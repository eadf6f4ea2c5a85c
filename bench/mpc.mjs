// `npm run bench -- mpc [--spu] [--short]`: the query engine over three processes of this machine with TLS links. Each figure is
// that of the slowest party after a first run, the median of five where that took under two seconds, beside its target (jobs.md
// 11.9) and the prototype in one thread (15). `--spu` adds SPU 0.9.5 (C++, ABY3, three processes, the better of two runs and of
// two ways to sort) in the same run; `--short` leaves out sizes above 65,536.
import { estimate, WAN } from '../libs/mpc/dist/index.js';
import { queriesOf } from './support/mpc-queries.mjs';
import { spuFigures } from './support/spu.mjs';
import { ThreeParties } from './support/three-parties.mjs';

const flags = new Set(process.argv.slice(2));
const sizes = flags.has('--short') ? [65_536] : [65_536, 262_144, 1_048_576];

/** Milliseconds: the target and what the prototype took. */
const STEPS = {
  and: { 65_536: [15, 32], 1_048_576: [60, 107] },
  multiply: { 65_536: [undefined, 51], 1_048_576: [undefined, 179] },
  equal: { 65_536: [undefined, 116], 1_048_576: [1000, 832] },
  greater: { 65_536: [undefined, 36], 1_048_576: [1000, 805] },
  sort: { 65_536: [2000, 1307], 262_144: [9000, 6139] },
  group_sum: { 65_536: [800, 572], 262_144: [undefined, 2987] },
};

let parties = await ThreeParties.start();

/** One run: the most of each figure over the parties. */
async function once(messageOf) {
  const told = await parties.ask(messageOf);
  const most = (figure) => Math.max(...told.map((each) => each[figure]));
  return Object.fromEntries(
    ['milliseconds', 'cpu', 'megabytes', 'rounds', 'memory'].map((name) => [name, most(name)]),
  );
}

/** The run of median time; the first one, which compiles, does not count. */
async function measured(messageOf) {
  const { milliseconds } = await once(messageOf);
  const runs = [];
  while (runs.length < (milliseconds < 2000 ? 5 : 1)) runs.push(await once(messageOf));
  return runs.toSorted((a, b) => a.milliseconds - b.milliseconds)[runs.length >> 1];
}

const beside = (label, value) => (value === undefined ? [] : [`${label} ${value} ms`]);

function print(name, figures, notes) {
  const { milliseconds, cpu, megabytes, rounds } = figures;
  console.log(`${name} ${milliseconds.toFixed(1)} ms`);
  console.log(`${name}_cpu ${cpu.toFixed(1)} ms`);
  console.log(`${name}_sent ${megabytes.toFixed(2)} MB`);
  console.log(`${name}_rounds ${rounds} rounds`);
  if (notes.length > 0) console.log(`  ${notes.join('; ')}`);
}

const sorted = {};
for (const rows of sizes) {
  await parties.ask(() => ({ rows }));
  for (const [step, bounds] of Object.entries(STEPS)) {
    if (!(rows in bounds)) continue;
    const figures = await measured(() => ({ step }));
    const [target, prototype] = bounds[rows];
    print(`${step}_${rows}`, figures, [
      ...beside('target', target),
      ...beside('prototype', prototype),
    ]);
    sorted[`${step}_${rows}`] = figures.milliseconds;
  }
}
const together = sorted.sort_65536 + sorted.group_sum_65536;
console.log(`sort_and_group_sum_65536 ${together.toFixed(1)} ms`);
console.log('  first bar 2800 ms; aim 1500 ms');

// Memory is the most that a process has taken, so that these begin with queries.
await parties.end();
parties = await ThreeParties.start();
for (const { name, plan, rows, inputs, target } of queriesOf(sizes)) {
  const given = inputs();
  const figures = await measured((party) => ({ plan, inputs: given[party] }));
  // 6 Gbit/s and 20 ms: the time of this machine, and what its rounds and bytes add there.
  const { rounds, megabytes, milliseconds } = figures;
  const wide = milliseconds + (rounds * WAN.rtt + (megabytes * 8e15) / WAN.bitsPerSecond) / 1e6;
  const guess = estimate(plan, rows, WAN).nanoseconds / 1e6;
  print(name, figures, [
    ...beside('target', target),
    `at 6 Gbit/s and 20 ms about ${(wide / 1000).toFixed(1)} s (estimate ${(guess / 1000).toFixed(1)} s)`,
  ]);
  console.log(`${name}_memory ${figures.memory.toFixed(0)} MiB`);
  if (name === 'eight_columns_262144') console.log('  target 512 MiB');
}
await parties.end();

if (flags.has('--spu')) {
  const spu = await spuFigures(65_536);
  console.log(`spu_sort_65536 ${spu.sort.toFixed(1)} ms`);
  console.log(`spu_group_sum_65536 ${spu.groupSum.toFixed(1)} ms`);
  console.log(`sort_beside_spu ${((100 * sorted.sort_65536) / spu.sort).toFixed(1)} %`);
  console.log(`group_sum_beside_spu ${((100 * together) / spu.groupSum).toFixed(1)} %`);
}
