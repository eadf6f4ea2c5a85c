import { LOGGER, type Logger } from '@glacis/observability';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { ComputeProviders } from '../compute/compute-providers.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { directionOf, readBucketName } from '../storage/names.js';
import type { FoundBucket } from '../storage/storage-provider.js';
import { StorageProviders } from '../storage/storage-providers.js';
import { keptJobs, type KeptJob } from './reaper.store.js';

const call = { timeoutMs: 60_000 };
const dayMs = 86_400_000;

/** Deletes buckets whose time is over, and those of no job (jobs.md 6.1, 9). */
@Injectable()
export class BucketReaper {
  /** When a bucket was first seen without a job: a create may still be under way. */
  private readonly orphans = new Map<string, number>();

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(StorageProviders) private readonly storage: StorageProviders,
    @Inject(ComputeProviders) private readonly compute: ComputeProviders,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async run(): Promise<void> {
    const seen = new Set<string>();
    for (const storage of this.storage.all()) {
      const found = await storage.listByTag({}, call);
      const ids = [...new Set(found.map(({ tags }) => tags.job))];
      const kept = await keptJobs(this.store, ids);
      for (const bucket of found) {
        seen.add(bucket.name);
        if (!this.isOver(bucket, kept.get(bucket.tags.job))) continue;
        await storage.deleteBucket(bucket.name, call);
        if (directionOf(bucket.name) === 'in') await this.forget(bucket.tags.job);
        this.logger.info({ bucket: bucket.name }, 'bucket deleted');
      }
    }
    for (const name of this.orphans.keys()) if (!seen.has(name)) this.orphans.delete(name);
  }

  private isOver({ name, tags }: FoundBucket, job: KeptJob | undefined): boolean {
    const now = this.clock.now().getTime();
    // An account may be shared with another installation.
    if (readBucketName(name)?.prefix !== this.settings.bucketPrefix) return false;
    if (tags.expires.getTime() < now) return true;
    if (job === undefined) return this.isOrphan(name, now);
    if (job.endedAt === null) return false;
    return job.endedAt.getTime() + this.retentionMs(name, job) < now;
  }

  /** Sealed results stay until somebody has them, within a limit. */
  private retentionMs(name: string, { sealed, acknowledgedAt }: KeptJob): number {
    const { retentionDays, sealedRetentionDays } = this.settings;
    const waits = directionOf(name) === 'out' && sealed && acknowledgedAt === null;
    return dayMs * (waits ? Math.max(retentionDays, sealedRetentionDays) : retentionDays);
  }

  private isOrphan(name: string, now: number): boolean {
    const since = this.orphans.get(name) ?? now;
    this.orphans.set(name, since);
    return now - since >= this.settings.orphanGrace;
  }

  /** The keys of a bucket go with it. */
  private async forget(job: string): Promise<void> {
    for (const compute of this.compute.all()) await compute.forget(job, call);
  }
}
