import { createHash } from 'node:crypto';
import { exchange, type Protocol } from './link.js';
import { ProtocolError } from './party.js';
import { type Shares } from './shares.js';

/** SHA-256 of words, as words. */
function digest(words: Int32Array): Int32Array {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const hash = createHash('sha256').update(bytes).digest();
  return new Int32Array(new Uint8Array(hash).buffer);
}

/**
 * Each party learns the slot that it lacks: its previous sends it, its next a digest of it (11.4, open): 1 round, 1 word and
 * eight words of digest.
 * @param combine how three slots make a value: `addWords` or `xorWords`.
 * @throws ProtocolError where slot and digest differ.
 */
export function* open(
  x: Shares,
  combine: (a: Int32Array, b: Int32Array) => Int32Array,
): Protocol<Int32Array> {
  const { next, previous } = yield* exchange({
    toNext: [x.own],
    toPrevious: [digest(x.next)],
    fromNext: 8,
    fromPrevious: x.own.length,
  });
  if (digest(previous).some((word, index) => word !== next[index]))
    throw new ProtocolError('protocol_opening', 'two parties say different things of one slot');
  return combine(combine(x.own, x.next), previous);
}
