// Steps of the protocol as one party runs them, by the name of their figure.
import { lift } from '../../libs/mpc/dist/protocol/arithmetic.js';
import { equal, greater } from '../../libs/mpc/dist/protocol/compare.js';
import { collect, frame } from '../../libs/mpc/dist/protocol/groups.js';
import { open } from '../../libs/mpc/dist/protocol/open.js';
import { toBits } from '../../libs/mpc/dist/protocol/planes.js';
import { andWords, multiply } from '../../libs/mpc/dist/protocol/products.js';
import { xorWords } from '../../libs/mpc/dist/protocol/shares.js';
import { sort } from '../../libs/mpc/dist/protocol/sort.js';
import { flattened } from '../../libs/mpc/dist/protocol/wide.js';

/** A key of 32 bits that is signed, dead rows last. */
const order = [
  ...Array.from({ length: 32 }, (_, bit) => ({ column: 0, bit, flipped: bit === 31 })),
  { column: 1, bit: 0, flipped: true },
];

/** A round that says nothing but that all are there. */
export const meet = () => open({ own: new Int32Array(1), next: new Int32Array(1) }, xorWords);

/** @param shares of column 0, 1 …, `rows` words each */
export function stepsOf(shares, rows) {
  const [x, y, flags] = [shares(0), shares(1), shares(2)];
  let sorted;
  return {
    and: (party) => andWords(party, x, y),
    multiply: (party) => multiply(party, x, y),
    equal: (party) => equal(party, [[toBits(x, 32), toBits(y, 32)]]),
    greater: (party) => greater(party, toBits(x, 32), toBits(y, 32)),
    *sort(party) {
      const columns = [
        { form: 'boolean', shares: x },
        { form: 'boolean', shares: flags },
        { form: 'arithmetic', shares: y },
      ];
      sorted = yield* sort(party, columns, order);
    },
    *group_sum(party) {
      const [keys, valid, values] = sorted;
      const wide = flattened(yield* lift(party, values.shares));
      const [live] = toBits(valid.shares, 1).planes;
      const found = yield* frame(party, toBits(keys.shares, 32).planes, live, rows);
      return yield* collect(party, found, [keys], [{ form: 'wide', shares: wide }]);
    },
  };
}
