import type { Store } from '@glacis/store';
import { anyUnsealed, lockHead, unsealedRows, writeSealed } from './audit.store.js';
import { seal } from './chain.js';

const batchSize = 500;

/**
 * Chains the rows that are not in the chain yet. The locked head row lets one replica at a time do it, and a crash
 * between two batches leaves a shorter chain, never a broken one.
 */
export async function sealAudit(store: Store): Promise<void> {
  if (!(await anyUnsealed(store))) return;
  while ((await sealBatch(store)) === batchSize);
}

async function sealBatch(store: Store): Promise<number> {
  return store.transaction(async (tx) => {
    const head = await lockHead(tx);
    if (head === undefined) return 0;
    const rows = await unsealedRows(tx, batchSize);
    await writeSealed(tx, seal(head, rows));
    return rows.length;
  });
}
