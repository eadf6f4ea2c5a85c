import { LOGGER, type Logger } from '@glacis/observability';
import { Loop } from '@glacis/runtime';
import { Store } from '@glacis/store';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { JobEvents } from '../jobs/job-events.js';
import type { JobParty } from '../jobs/job.entity.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import type { StoredObject } from './storage-provider.js';
import { StorageProviders } from './storage-providers.js';
import { sweep } from './sweep.js';

const everyMs = 30_000;
const call = { timeoutMs: 30_000 };

type Swept = Pick<JobParty, 'job' | 'party' | 'provider'> & { bucket: string };

/** Looks through the in-buckets of clouds while owners upload: plain links there hold nobody to a length (jobs.md 6.2). */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(StorageProviders) private readonly storage: StorageProviders,
    @Inject(JobEvents) private readonly events: JobEvents,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.loop = new Loop({
      name: 'sweep of uploads',
      intervalMs: everyMs,
      run: (signal) => this.run(signal),
      onError: (err) => this.logger.warn({ err }, 'uploads were not swept'),
    });
  }

  /** Local buckets take nothing that is too long. */
  onApplicationBootstrap(): void {
    if (this.storage.all().some(({ driver }) => driver !== 'local')) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** By one replica at a time, so that each file is told of once. */
  async run(signal: AbortSignal): Promise<void> {
    const lock = await this.store.tryLock('sweep of uploads');
    if (lock === null) return;
    try {
      for (const bucket of await this.openBuckets()) {
        if (signal.aborted || lock.lost.aborted) return;
        await this.sweepOne(bucket).catch((err: unknown) =>
          this.logger.warn({ err, bucket: bucket.bucket }, 'a bucket was not swept'),
        );
      }
    } finally {
      await lock.release();
    }
  }

  private async openBuckets(): Promise<Swept[]> {
    const all = await this.store.query<Swept & Record<string, unknown>>(
      `SELECT job, party, provider, in_bucket AS bucket FROM job_parties
       JOIN jobs ON jobs.id = job WHERE state = 'created' ORDER BY job, party`,
    );
    return all.filter(({ provider }) => this.storage.of(provider).driver !== 'local');
  }

  private async sweepOne(swept: Swept): Promise<void> {
    const provider = this.storage.of(swept.provider);
    const gone = await sweep(provider, swept.bucket, this.settings.uploadMaxBytes, call);
    for (const object of gone) await this.tell(swept, object);
  }

  /** To the owner whose file it was, and to the analyst. */
  private async tell({ job, party }: Swept, { key, size }: StoredObject): Promise<void> {
    await this.store.transaction(async (tx) => {
      const [dir = '', set = ''] = key.split('/');
      const sql = 'SELECT name FROM owners WHERE job = $1 AND dir = $2';
      const [owner] = await tx.query<{ name: string }>(sql, [job, dir]);
      const data = { code: 'file_too_large', party, set: Number(set), size };
      await this.events.add(tx, job, 'warning', data, { owner: owner?.name });
    });
  }
}
