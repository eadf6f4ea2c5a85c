import { LOGGER, type Logger } from '@glacis/observability';
import { Inject, Injectable } from '@nestjs/common';
import type { Job, JobParty, ProviderName } from '../jobs/job.entity.js';
import { PartyKeys } from '../runs/party-keys.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { bucketName } from '../storage/names.js';
import { ProviderError } from '../storage/provider-error.js';
import type { BucketTags, NewBucket } from '../storage/storage-provider.js';
import { StorageProviders } from '../storage/storage-providers.js';
import { ContractError } from './contract-error.js';

const call = { timeoutMs: 30_000 };
const dayMs = 86_400_000;

/** The buckets of a job (`jobs.md` 2.2, check 14). */
@Injectable()
export class PartyBuckets {
  constructor(
    @Inject(PartyKeys) private readonly keys: PartyKeys,
    @Inject(StorageProviders) private readonly storage: StorageProviders,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Makes those of all parties at once, or none; parties make the keys that local ones are sealed to first.
   * @throws {ContractError} 500 that names the provider; what was made is deleted before, the rest left to the reaper
   */
  async make(job: Job): Promise<JobParty[]> {
    const parties = await this.partiesOf(job);
    const made = await Promise.allSettled(
      parties.flatMap((party) =>
        this.bucketsOf(party, job).map((bucket) => this.create(party, bucket)),
      ),
    );
    const failed = made.find((each) => each.status === 'rejected');
    if (failed === undefined) return parties;
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

  private async partiesOf(job: Job): Promise<JobParty[]> {
    const { bucketPrefix: prefix } = this.settings;
    const isSealed = (party: number): boolean =>
      this.storage.of(job.placement[party] as ProviderName).driver === 'local';
    const sealed = [...job.placement.keys()].filter(isSealed);
    const keys = sealed.length > 0 ? await this.makeKeys(job, sealed) : [];
    const keysOf = new Map(keys.map((pair) => [pair.party, pair]));
    return job.placement.map((provider, party) => ({
      job: job.id,
      party,
      provider,
      inBucket: bucketName(prefix, 'in', job.id, party),
      outBucket: bucketName(prefix, 'out', job.id, party),
      sealKey: keysOf.get(party)?.sealKey ?? null,
      macKey: keysOf.get(party)?.macKey ?? null,
    }));
  }

  private async makeKeys(job: Job, parties: readonly number[]): ReturnType<PartyKeys['make']> {
    try {
      return await this.keys.make(job, parties);
    } catch (error) {
      throw creationError('local', error);
    }
  }

  private bucketsOf(party: JobParty, { createdAt, resultKey }: Job): NewBucket[] {
    const { retentionDays, sealedRetentionDays } = this.settings;
    const tags = (days: number): BucketTags => ({
      job: party.job,
      party: party.party,
      attempt: 1,
      expires: new Date(createdAt.getTime() + (days + 1) * dayMs),
    });
    const longer =
      resultKey !== null ? Math.max(retentionDays, sealedRetentionDays) : retentionDays;
    return [
      { name: party.inBucket, tags: tags(retentionDays), sealKey: party.sealKey },
      { name: party.outBucket, tags: tags(longer), sealKey: null },
    ];
  }

  private async create({ provider }: JobParty, bucket: NewBucket): Promise<void> {
    try {
      await this.storage.of(provider).createBucket(bucket, call);
    } catch (error) {
      throw creationError(provider, error);
    }
  }
}

function creationError(provider: string, error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error;
  return new ContractError(500, { error: `Buckets creation error: ${provider}: ${error.message}` });
}
