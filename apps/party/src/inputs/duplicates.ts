import { timingSafeEqual } from 'node:crypto';
import type { AgentFinding, SlotMacs } from '@glacis/contracts';
import { slotKey, slotMacs } from '@glacis/shares';
import type { LoadedSet } from './load-sets.js';

/** The key of two agents: own private half, public half of the other. */
export interface MacPair {
  jobId: string;
  own: string;
  peer: string;
}

async function macsOf(
  { jobId, own, peer }: MacPair,
  { owner, set, file }: LoadedSet,
  copy: 0 | 1,
): Promise<ReadonlyMap<string, Uint8Array>> {
  return slotMacs(await slotKey(own, peer, { jobId, owner, set }), file, copy);
}

/** MACs of own slots, by which the previous party compares its copies of them (jobs.md 8). */
export async function macsForPrevious(
  pair: MacPair,
  sets: readonly LoadedSet[],
): Promise<SlotMacs[]> {
  return Promise.all(
    sets.map(async (loaded) => {
      const macs = [...(await macsOf(pair, loaded, 0))];
      const { owner, set, table, file } = loaded;
      const texts = macs.map(([name, mac]) => [name, Buffer.from(mac).toString('base64')]);
      return { owner, set, table, rows: file.rows, macs: Object.fromEntries(texts) };
    }),
  );
}

const sameSet = (a: LoadedSet, b: SlotMacs): boolean =>
  a.owner === b.owner && a.set === b.set && a.table === b.table;

/** Compares own copies of the next party's slots with what it made of them. */
export async function compareDuplicates(
  pair: MacPair,
  sets: readonly LoadedSet[],
  theirs: readonly SlotMacs[],
): Promise<AgentFinding[]> {
  const lists = await Promise.all(
    sets.map(async (loaded) => {
      const other = theirs.find((each) => sameSet(loaded, each));
      const { owner } = loaded;
      if (other === undefined)
        return [{ owner, code: 'share_mismatch', message: 'another party has another set' }];
      if (other.rows !== loaded.file.rows)
        return [{ owner, code: 'row_count_mismatch', message: 'parties have different rows' }];
      return differing(await macsOf(pair, loaded, 1), other).map((column) => ({
        owner,
        code: 'share_mismatch',
        column,
        message: 'two parties were given different copies of one slot',
      }));
    }),
  );
  return lists.flat();
}

/** Columns of either side whose MAC the other has not got. */
function differing(own: ReadonlyMap<string, Uint8Array>, { macs }: SlotMacs): string[] {
  const names = new Set([...own.keys(), ...Object.keys(macs)]);
  return [...names].filter((name) => {
    const [mine, text] = [own.get(name), Object.hasOwn(macs, name) ? macs[name] : undefined];
    const other = Buffer.from(text ?? '', 'base64');
    return mine?.length !== other.length || !timingSafeEqual(mine, other);
  });
}
