import { exchange, type Protocol } from './link.js';
import type { Party, PartyId } from './party.js';
import { subtractWords, xorWords, type Shares } from './shares.js';
import { subtractWide } from './wide.js';

/** How a mask is taken off, by form; words of `wide` are low words, then high words. */
const MASKED = { boolean: xorWords, arithmetic: subtractWords, wide: subtractWide };

/**
 * Shares words that party `owner` knows (11.4, input): slot owner + 1 is a key stream, slot owner what is left, which goes to
 * the previous party, slot owner + 2 zero. 1 round, 1 word.
 * @param words what the owner knows; the others give none.
 */
export function* input(
  party: Party,
  form: keyof typeof MASKED,
  { owner, length, words }: { owner: PartyId; length: number; words?: Int32Array },
): Protocol<Shares> {
  const step = party.step();
  if (words) {
    const next = party.stream('next', step, 'in').words(length);
    const own = MASKED[form](words, next);
    yield* exchange({ toPrevious: [own] });
    return { own, next };
  }
  if ((owner + 1) % 3 === party.id) {
    yield* exchange({});
    return {
      own: party.stream('previous', step, 'in').words(length),
      next: new Int32Array(length),
    };
  }
  const { next } = yield* exchange({ fromNext: length });
  return { own: new Int32Array(length), next };
}
