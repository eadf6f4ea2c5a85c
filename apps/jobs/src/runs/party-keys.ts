import { stepResults } from '@glacis/contracts';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job.entity.js';
import { ProviderError } from '../storage/provider-error.js';
import { Crews, type Crew } from './crews.js';
import { Starts } from './starts.js';

/** The attempt of agents that make keys, before there is a first one. */
export const keyAttempt = 0;
/** Milliseconds for all of it; a node may have to fetch the image of its pod first. */
const limitMs = 180_000;

/** The job as create knows it before its row is there. */
export type KeyedJob = Pick<Job, 'id' | 'tenant' | 'placement'>;

export interface PartyKeyPair {
  party: number;
  /** X25519 public key of the in-bucket, base64url. */
  sealKey: string;
  /** X25519 public key of the checks of duplicate slots, base64url. */
  macKey: string;
}

/** Has parties whose buckets are sealed make their keys when a job is created; the agents end then (jobs.md 10.2). */
@Injectable()
export class PartyKeys {
  constructor(
    @Inject(Crews) private readonly crews: Crews,
    @Inject(Starts) private readonly starts: Starts,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** In party order. @throws {ProviderError} where an agent cannot be started, or makes no key in time */
  async make(job: KeyedJob, parties: readonly number[]): Promise<PartyKeyPair[]> {
    const signal = AbortSignal.timeout(limitMs);
    try {
      return await this.starts.run(signal, () =>
        this.makeBy({ job, attempt: keyAttempt, parties }, signal),
      );
    } catch (error) {
      if (error instanceof ProviderError) throw error;
      throw new ProviderError('unavailable', 'a party has made no keys', error);
    }
  }

  private async makeBy(crew: Crew, signal: AbortSignal): Promise<PartyKeyPair[]> {
    const until = new Date(this.clock.now().getTime() + limitMs);
    try {
      await this.crews.ensure(crew, until, signal);
      const agents = await this.crews.enrolled(crew, signal);
      const instruct = { step: 'keys', planHash: null, body: () => ({}) } as const;
      const told = await this.crews.instruct(crew, instruct, signal);
      return told.map(({ party, result }, i) => ({
        party,
        sealKey: stepResults.keys.parse(result).seal_key,
        macKey: agents[i]?.macKey ?? '',
      }));
    } finally {
      await this.crews.end(crew);
    }
  }
}
