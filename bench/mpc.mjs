// `npm run bench -- mpc [rows]`: what the steps of libs/mpc cost one party, CPU time of three parties in this one thread divided
// by three, with the rounds and the megabytes that each of them sends. No network is in these figures.
import { lift } from '../libs/mpc/dist/protocol/arithmetic.js';
import { equal, greater } from '../libs/mpc/dist/protocol/compare.js';
import { collect, frame } from '../libs/mpc/dist/protocol/groups.js';
import { keyStreams, Party } from '../libs/mpc/dist/protocol/party.js';
import { toBits } from '../libs/mpc/dist/protocol/planes.js';
import { andWords, multiply } from '../libs/mpc/dist/protocol/products.js';
import { joinWords } from '../libs/mpc/dist/protocol/shares.js';
import { sort } from '../libs/mpc/dist/protocol/sort.js';
import { flattened } from '../libs/mpc/dist/protocol/wide.js';
import { randomFillSync } from 'node:crypto';

const rows = Number(process.argv[2] ?? 65_536);
const key = (i) => new Uint8Array(32).fill((i % 3) + 1);
const words = () => randomFillSync(new Int32Array(rows));

function shares() {
  const slots = [words(), words(), words()];
  return [0, 1, 2].map((i) => ({ own: slots[i], next: slots[(i + 1) % 3] }));
}

/** Runs the three sides in step; the second of two runs is measured, after the compiler of V8 has seen the code. */
function measure(name, side) {
  let outcome;
  for (let run = 0; run < 2; run += 1) outcome = once(side);
  console.log(`${name}_cpu ${outcome.milliseconds.toFixed(1)} ms`);
  console.log(`${name}_rounds ${outcome.rounds} rounds`);
  console.log(`${name}_sent ${outcome.megabytes.toFixed(2)} MB`);
  return outcome.results;
}

function once(side) {
  const sides = [0, 1, 2].map((id) =>
    side(new Party(id, keyStreams({ next: key(id), previous: key(id + 2) })), id),
  );
  const before = process.cpuUsage();
  let states = sides.map((protocol) => protocol.next());
  let rounds = 0;
  let sent = 0;
  while (!states[0].done) {
    rounds += 1;
    const next = states.map(({ value }) => joinWords(value.toNext));
    const previous = states.map(({ value }) => joinWords(value.toPrevious));
    sent += next[0].length + previous[0].length;
    states = sides.map((protocol, i) =>
      protocol.next({ next: previous[(i + 1) % 3], previous: next[(i + 2) % 3] }),
    );
  }
  const { user, system } = process.cpuUsage(before);
  return {
    results: states.map(({ value }) => value),
    milliseconds: (user + system) / 3000,
    rounds,
    megabytes: (sent * 4) / 1e6,
  };
}

const [x, y, flags] = [shares(), shares(), shares()];
console.log(`rows ${rows} rows`);
measure('and', (party, i) => andWords(party, x[i], y[i]));
measure('multiply', (party, i) => multiply(party, x[i], y[i]));
measure('equal', (party, i) => equal(party, [[toBits(x[i], 32), toBits(y[i], 32)]]));
measure('greater', (party, i) => greater(party, toBits(x[i], 32), toBits(y[i], 32)));

const order = [
  ...Array.from({ length: 32 }, (_, bit) => ({ column: 0, bit, flipped: bit === 31 })),
  { column: 1, bit: 0, flipped: true },
];
const sorted = measure('sort', (party, i) =>
  sort(
    party,
    [
      { form: 'boolean', shares: x[i] },
      { form: 'boolean', shares: flags[i] },
      { form: 'arithmetic', shares: y[i] },
    ],
    order,
  ),
);
measure('group_sum', function* (party, i) {
  const [keys, valid, values] = sorted[i];
  const wide = flattened(yield* lift(party, values.shares));
  const [live] = toBits(valid.shares, 1).planes;
  const found = yield* frame(party, toBits(keys.shares, 32).planes, live, rows);
  return yield* collect(party, found, [keys], [{ form: 'wide', shares: wide }]);
});
