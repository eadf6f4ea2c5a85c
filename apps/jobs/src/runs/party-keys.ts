import { Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job.entity.js';

/** The job as create knows it before its row is there. */
export type KeyedJob = Pick<Job, 'id' | 'tenant' | 'placement'>;

export interface PartyKeyPair {
  party: number;
  /** X25519 public key of the in-bucket, base64url. */
  sealKey: string;
  /** X25519 public key of the checks of duplicate slots, base64url. */
  macKey: string;
}

/** Has the parties of local execution make their keys when a job is created; the agents end then (jobs.md 10.2). */
@Injectable()
export class PartyKeys {
  /** In party order. @throws {ProviderError} where an agent cannot be started, or makes no key in time */
  make(_job: KeyedJob): Promise<PartyKeyPair[]> {
    return Promise.reject(new Error('not there yet'));
  }
}
