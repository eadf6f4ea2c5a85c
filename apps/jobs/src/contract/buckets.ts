import { LOGGER, type Logger } from '@glacis/observability';
import { Inject, Injectable } from '@nestjs/common';
import type { JobParty } from '../jobs/job.entity.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { ProviderError } from '../storage/provider-error.js';
import type { BucketTags, NewBucket } from '../storage/storage-provider.js';
import { StorageProviders } from '../storage/storage-providers.js';
import { ContractError } from './contract-error.js';

const call = { timeoutMs: 30_000 };
const dayMs = 86_400_000;

/** The buckets of a job (`jobs.md` 2.2, check 14). */
@Injectable()
export class Buckets {
  constructor(
    @Inject(StorageProviders) private readonly storage: StorageProviders,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Makes those of all parties at once, or none.
   * @throws {ContractError} 500 that names the provider; what was made is deleted before, the rest left to the reaper
   */
  async create(parties: readonly JobParty[], createdAt: Date, sealed: boolean): Promise<void> {
    const made = await Promise.allSettled(
      parties.flatMap((party) =>
        this.bucketsOf(party, createdAt, sealed).map((bucket) => this.createOne(party, bucket)),
      ),
    );
    const failed = made.find((each) => each.status === 'rejected');
    if (failed === undefined) return;
    await this.delete(parties);
    throw failed.reason;
  }

  /** What cannot be deleted now is found by the reaper, as no job has it. */
  async delete(parties: readonly JobParty[]): Promise<void> {
    const names = parties.flatMap(({ provider, inBucket, outBucket }) =>
      [inBucket, outBucket].map((bucket) => ({ provider, bucket })),
    );
    const deleted = await Promise.allSettled(
      names.map(({ provider, bucket }) => this.storage.of(provider).deleteBucket(bucket, call)),
    );
    const left = deleted.filter((each) => each.status === 'rejected').length;
    if (left > 0) this.logger.warn({ left }, 'buckets not deleted yet');
  }

  private bucketsOf(party: JobParty, createdAt: Date, sealed: boolean): NewBucket[] {
    const { retentionDays, sealedRetentionDays } = this.settings;
    const tags = (days: number): BucketTags => ({
      job: party.job,
      party: party.party,
      attempt: 1,
      expires: new Date(createdAt.getTime() + (days + 1) * dayMs),
    });
    const longer = sealed ? Math.max(retentionDays, sealedRetentionDays) : retentionDays;
    return [
      { name: party.inBucket, tags: tags(retentionDays), sealKey: party.sealKey },
      { name: party.outBucket, tags: tags(longer), sealKey: null },
    ];
  }

  private async createOne({ provider }: JobParty, bucket: NewBucket): Promise<void> {
    try {
      await this.storage.of(provider).createBucket(bucket, call);
    } catch (error) {
      throw creationError(provider, error);
    }
  }
}

/** @param provider of the buckets, or of the agents that make their keys */
export function creationError(provider: string, error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error;
  return new ContractError(500, { error: `Buckets creation error: ${provider}: ${error.message}` });
}
