import { Inject, Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { inputKey } from '../storage/names.js';
import { ProviderError } from '../storage/provider-error.js';
import type { StoredObject } from '../storage/storage-provider.js';
import { StorageProviders } from '../storage/storage-providers.js';
import type { Owner, UploadSet } from './owner.entity.js';

const call = { timeoutMs: 30_000 };

/** A set with which of its files are stored, by party. */
export interface StoredSet {
  set: UploadSet;
  files: boolean[];
}

/** Which files of owners lie in the buckets, by their names. */
@Injectable()
export class StoredFiles {
  constructor(
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(StorageProviders) private readonly storage: StorageProviders,
  ) {}

  async of(job: Job, owners: readonly Owner[], sets: readonly UploadSet[]): Promise<StoredSet[]> {
    const keys = await this.keys(job);
    const dirs = new Map(owners.map(({ name, dir }) => [name, dir]));
    return sets.map((set) => {
      const key = inputKey(dirs.get(set.owner) ?? '', set.number, set.tableName);
      return { set, files: job.placement.map((_, party) => keys[party]?.has(key) ?? false) };
    });
  }

  /** Deletes files and leaves empty ones in their places, so that links that are about store nothing any more. */
  async withdraw(
    { id }: Job,
    { dir }: Owner,
    sets: readonly Pick<UploadSet, 'number' | 'tableName'>[],
  ): Promise<void> {
    const parties = await this.jobs.parties(id);
    const objects = sets.flatMap(({ number, tableName }) =>
      parties.map(({ provider, inBucket: bucket }) => ({
        provider,
        bucket,
        key: inputKey(dir, number, tableName),
      })),
    );
    await Promise.all(
      objects.map(async ({ provider, bucket, key }) => {
        const storage = this.storage.of(provider);
        await storage.deleteObject({ bucket, key }, call);
        await storage.put({ bucket, key, body: [], maxBytes: 0 }, call).catch(unlessClosed);
      }),
    );
  }

  private async keys({ id }: Job): Promise<Set<string>[]> {
    const parties = await this.jobs.parties(id);
    return Promise.all(
      parties.map(async ({ provider, inBucket }) => {
        const objects = await this.storage.of(provider).list(inBucket, '', call).catch(ifThere);
        return new Set(objects.map(({ key }) => key));
      }),
    );
  }
}

/** The buckets of a job that ended go before it does. */
function ifThere(error: unknown): StoredObject[] {
  if (error instanceof ProviderError && error.code === 'not_found') return [];
  throw error;
}

/** The place is taken, or the provider itself refuses what comes after a deletion. */
function unlessClosed(error: unknown): void {
  const closed = error instanceof ProviderError && ['exists', 'denied'].includes(error.code);
  if (!closed) throw error;
}
