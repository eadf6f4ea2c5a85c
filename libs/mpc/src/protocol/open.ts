import { createHash } from 'node:crypto';
import { exchange, type Protocol } from './link.js';
import { ProtocolError, type Party, type PartyId } from './party.js';
import { type Shares } from './shares.js';

/** SHA-256 of words, as words. */
function digest(words: Int32Array): Int32Array {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const hash = createHash('sha256').update(bytes).digest();
  return new Int32Array(new Uint8Array(hash).buffer);
}

type Combine = (a: Int32Array, b: Int32Array) => Int32Array;

function* opened(
  x: Shares,
  combine: Combine,
  told: { self: boolean; next: boolean; previous: boolean },
): Protocol<Int32Array | undefined> {
  const { next, previous } = yield* exchange({
    toNext: told.next ? [x.own] : [],
    toPrevious: told.previous ? [digest(x.next)] : [],
    fromNext: told.self ? 8 : 0,
    fromPrevious: told.self ? x.own.length : 0,
  });
  if (!told.self) return undefined;
  if (digest(previous).some((word, index) => word !== next[index]))
    throw new ProtocolError('protocol_opening', 'two parties say different things of one slot');
  return combine(combine(x.own, x.next), previous);
}

/**
 * Each party learns the slot that it lacks: its previous sends it, its next a digest of it (11.4, open): 1 round, 1 word and
 * eight words of digest.
 * @param combine how three slots make a value: `addWords` or `xorWords`.
 * @throws ProtocolError where slot and digest differ.
 */
export function* open(x: Shares, combine: Combine): Protocol<Int32Array> {
  const value = yield* opened(x, combine, { self: true, next: true, previous: true });
  return value as Int32Array;
}

/** As `open`, but party `without` learns nothing and gets undefined. */
export function* openExcept(
  party: Party,
  without: PartyId,
  x: Shares,
  combine: Combine,
): Protocol<Int32Array | undefined> {
  return yield* opened(x, combine, {
    self: party.id !== without,
    next: (party.id + 1) % 3 !== without,
    previous: (party.id + 2) % 3 !== without,
  });
}
