import { Inject, Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { resultKey } from '../storage/names.js';
import { StorageProviders } from '../storage/storage-providers.js';

const call = { timeoutMs: 30_000 };

/** Links by which the analyst reads the result files. */
@Injectable()
export class ResultLinks {
  constructor(
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(StorageProviders) private readonly storage: StorageProviders,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
  ) {}

  /** In party order. */
  async of({ id, attempt }: Pick<Job, 'id' | 'attempt'>): Promise<string[]> {
    const { urlsTtlSeconds: expiresIn } = this.settings;
    const key = resultKey(attempt);
    const parties = await this.jobs.parties(id);
    return Promise.all(
      parties.map(({ provider, outBucket: bucket }) =>
        this.storage.of(provider).signRead({ bucket, key, expiresIn }, call),
      ),
    );
  }
}
