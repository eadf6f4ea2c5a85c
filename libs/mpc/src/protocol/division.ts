import { addBits, toBoolean } from './adder.js';
import { together, type Protocol } from './link.js';
import { muxBits } from './mux.js';
import type { Party } from './party.js';
import { not, publicPlane, xor, type Bits, type Plane, type Shares } from './shares.js';
import { scaleWide } from './wide.js';
import { wideToBoolean } from './words.js';

/** a + b + carry: the carry stands below the lowest bits of both, so that it costs no round. */
function* addCarry(party: Party, a: Bits, b: Bits, carry: Plane): Protocol<Bits> {
  const { rows, planes } = yield* addBits(
    party,
    { rows: a.rows, planes: [carry, ...a.planes] },
    { rows: b.rows, planes: [carry, ...b.planes] },
  );
  return { rows, planes: planes.slice(1) };
}

const padded = (party: Party, { rows, planes }: Bits, width: number): Bits => ({
  rows,
  planes: Array.from(
    { length: width },
    (_, j): Plane => planes[j] ?? publicPlane(party, rows, false),
  ),
});

/** a - b, and whether a ≥ b: the sum with the complement in one more bit, which is 0 where nothing is borrowed. */
function* minus(party: Party, a: Bits, b: Bits): Protocol<{ difference: Bits; fits: Plane }> {
  const inverted = a.planes.map((plane) => not(party, plane));
  // a - b = ¬(¬a + b).
  const sum = yield* addBits(party, { rows: a.rows, planes: inverted }, b);
  const planes = sum.planes.map((plane) => not(party, plane));
  return {
    difference: { rows: a.rows, planes: planes.slice(0, -1) },
    fits: not(party, planes[planes.length - 1]),
  };
}

export interface Division {
  /** Public factor of the sum, 10^(t - s): positive, below 2^31. */
  factor: number;
  /** Bits of the largest magnitude that a quotient has. */
  quotientBits: number;
  /** Bits of the largest count. */
  countBits: number;
}

/**
 * sum · factor / count, rounded half away from zero (11.5, AVG): restoring division from the highest bit of the quotient on,
 * 7 rounds for each. Rows with count 0 get something without meaning.
 * @param sum in Z_2^64, low words before high ones; |sum|·factor + count/2 < 2^63.
 * @param count in Z_2^32.
 * @returns two's complement values of quotientBits + 1 bits.
 */
export function* divideRounded(
  party: Party,
  { sum, count }: { sum: Shares; count: Shares },
  { factor, quotientBits, countBits }: Division,
): Protocol<Bits> {
  const [numerator, divisor] = yield* together(
    wideToBoolean(party, scaleWide(sum, factor)),
    toBoolean(party, count, countBits),
  );
  const { rows } = numerator;
  const sign = numerator.planes[63];
  const signed = (planes: readonly Plane[]): Bits => ({
    rows,
    planes: planes.map((plane) => xor(plane, sign)),
  });
  const half = padded(party, { rows, planes: divisor.planes.slice(1) }, 64);
  const magnitude = yield* addCarry(party, signed(numerator.planes), half, sign);
  const quotient = yield* quotientOf(party, magnitude, divisor, quotientBits);
  const extended = signed([...quotient, publicPlane(party, rows, false)]);
  return yield* addCarry(
    party,
    extended,
    padded(party, { rows, planes: [] }, quotientBits + 1),
    sign,
  );
}

/** Quotient bits, the lowest first. */
function* quotientOf(party: Party, dividend: Bits, divisor: Bits, bits: number): Protocol<Plane[]> {
  const { rows } = dividend;
  const width = divisor.planes.length;
  const subtrahend = padded(party, divisor, width + 1);
  const quotient: Plane[] = [];
  let rest = padded(party, { rows, planes: dividend.planes.slice(bits, bits + width) }, width);
  for (let j = bits - 1; j >= 0; j -= 1) {
    const doubled = padded(
      party,
      { rows, planes: [dividend.planes[j], ...rest.planes] },
      width + 1,
    );
    const { difference, fits } = yield* minus(party, doubled, subtrahend);
    const [kept, less] = [doubled, difference].map(({ planes }): Bits => ({
      rows,
      planes: planes.slice(0, width),
    }));
    rest = yield* muxBits(party, fits, kept, less);
    quotient.unshift(fits);
  }
  return quotient;
}
