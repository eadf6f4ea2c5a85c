import type { Outbox } from '@glacis/events';
import type { Audit } from '@glacis/identity';
import type { Logger } from '@glacis/observability';
import { Loop, type Clock } from '@glacis/runtime';
import type { HeldLock, Store } from '@glacis/store';
import type { Collection } from 'mongodb';
import type { Entry, Kept, MongoCollections } from './client.js';

export interface RelayParts {
  mongo: MongoCollections;
  /** Where events and audit rows of the service are kept until they are on the bus and sealed. */
  store: Store;
  outbox: Outbox;
  audit: Audit;
  clock: Clock;
  logger: Logger;
}

const everyMs = 1_000;
const sweepMs = 3_600_000;
/** Documents of one look. */
const batch = 100;
const lockName = 'mongo relay';

/**
 * Brings what documents have to tell into outbox and audit trail of the service, one replica at a time and once: the row
 * of the inbox by which a repetition is known is written in the same transaction. Deleted documents go after that, and
 * versions that no App has come to count after an hour.
 */
export class MongoRelay {
  private readonly loop: Loop;
  private lock: HeldLock | null = null;
  private sweptAt = 0;

  constructor(private readonly parts: RelayParts) {
    this.loop = new Loop({
      name: 'relay of graph-apps documents',
      intervalMs: everyMs,
      run: (signal) => this.run(signal),
      onError: (error) => parts.logger.warn({ err: error }, 'documents not relayed'),
    });
  }

  start(): void {
    this.loop.start();
  }

  wake(): void {
    this.loop.wake();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await this.lock?.release();
  }

  private async run(signal: AbortSignal): Promise<void> {
    if (this.lock?.lost.aborted) this.lock = null;
    this.lock ??= await this.parts.store.tryLock(lockName, () => this.wake());
    if (this.lock === null) return this.parts.store.nudge(lockName);
    const { apps, nodeConfigs } = this.parts.mongo;
    await this.relay(kept(apps), signal, (id) => this.removeVersions(id));
    await this.relay(kept(nodeConfigs), signal, async () => undefined);
    await this.sweepNowAndThen();
  }

  private async relay(
    documents: Collection<Kept>,
    signal: AbortSignal,
    removeParts: (id: string) => Promise<void>,
  ): Promise<void> {
    for (let more = true; more && !signal.aborted;) {
      const found = await documents
        .find({ 'outbox.id': { $exists: true } })
        .limit(batch)
        .toArray();
      for (const { _id, outbox } of found) {
        for (const entry of outbox) await this.tell(entry);
        const told = outbox.map(({ id }) => id);
        await documents.updateOne({ _id }, { $pull: { outbox: { id: { $in: told } } } });
      }
      more = found.length === batch;
    }
    const over = { live: false, 'outbox.id': { $exists: false } };
    for (const { _id } of await documents.find(over).limit(batch).toArray()) {
      await removeParts(_id);
      await documents.deleteOne({ _id });
    }
  }

  private async tell({ id, events, audit }: Entry): Promise<void> {
    await this.parts.store.transaction(async (tx) => {
      const fresh = await tx.query(
        'INSERT INTO inbox (event_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1',
        [`document:${id}`],
      );
      if (fresh.length === 0) return;
      await this.parts.outbox.add(tx, ...events);
      await this.parts.audit.recordAll(tx, audit);
    });
  }

  private async removeVersions(app: string): Promise<void> {
    await this.parts.mongo.versions.deleteMany({ app });
  }

  private async sweepNowAndThen(): Promise<void> {
    const now = this.parts.clock.now().getTime();
    if (now - this.sweptAt < sweepMs) return;
    await sweepOrphans(this.parts.mongo, new Date(now - sweepMs));
    this.sweptAt = now;
  }
}

/** A collection as far as the relay knows it. */
function kept<T extends Kept>(collection: Collection<T>): Collection<Kept> {
  return collection as unknown as Collection<Kept>;
}

/** Removes versions of writers that died before their App counted them: those that are older than any writer takes. */
export async function sweepOrphans(
  { apps, versions }: Pick<MongoCollections, 'apps' | 'versions'>,
  olderThan: Date,
): Promise<void> {
  const newest = versions.aggregate<{ _id: string; last: number }>([
    { $match: { createdAt: { $lt: olderThan } } },
    { $group: { _id: '$app', last: { $max: '$number' } } },
  ]);
  for await (const { _id: app, last } of newest) {
    const found = await apps.findOne({ _id: app });
    const counted = found?.lastVersion ?? 0;
    if (last <= counted) continue;
    const orphans = { app, number: { $gt: counted }, createdAt: { $lt: olderThan } };
    await versions.deleteMany(orphans);
  }
}
