/** How often a refused client came back from one address. */
export interface RefusalCount {
  /** Since `since`; 0 right after the refusal that made a block. */
  count: number;
  since: Date;
  /** Blocks so far: each is twice as long as the one before. */
  blocks: number;
  blockedUntil: Date | null;
}

const WINDOW_MS = 60_000;
const TRIES = 3;
const FIRST_BLOCK_MS = 60_000;
const LONGEST_BLOCK_MS = 15 * 60_000;
/** Refusals older than this are forgotten, and so is how long the last block was. */
export const REFUSAL_MEMORY_MS = 60 * 60_000;

/** Counts one more refusal: the third within 60 s blocks for 60 s, doubling to 15 min (`backends.md` 4.2). */
export function countRefusal(before: RefusalCount | undefined, now: Date): RefusalCount {
  const age = before ? now.getTime() - before.since.getTime() : Infinity;
  const blocks = before && age < REFUSAL_MEMORY_MS ? before.blocks : 0;
  const blockedUntil = before?.blockedUntil ?? null;
  if (!before || age >= WINDOW_MS) return { count: 1, since: now, blocks, blockedUntil };
  const count = before.count + 1;
  if (count < TRIES) return { ...before, count, blocks };
  const blockMs = Math.min(FIRST_BLOCK_MS * 2 ** blocks, LONGEST_BLOCK_MS);
  return {
    count: 0,
    since: now,
    blocks: blocks + 1,
    blockedUntil: new Date(now.getTime() + blockMs),
  };
}
