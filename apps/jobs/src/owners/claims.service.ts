import { createHash, randomBytes } from 'node:crypto';
import { problems, type Visitor } from '@glacis/http';
import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { JobsCaller } from '../access/callers.js';
import { JobTokens } from '../access/job-tokens.js';
import type { Job } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { Journal } from '../jobs/journal.js';
import { claimExpired, claimUsed, submitted } from '../problems.js';
import { PublicUrl } from '../public-url.js';
import { OwnersStore } from './owners.store.js';

/** Milliseconds that a link waits to be used, and that the token lasts that it is changed for. */
const lifeMs = 7 * 86_400_000;

interface Claim {
  job: string;
  owner: string;
  expires_at: Date;
  used_at: Date | null;
}

/** Links by which owners come to a job; the secret in one is stored as its hash. */
@Injectable()
export class ClaimsService {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(OwnersStore) private readonly owners: OwnersStore,
    @Inject(JobTokens) private readonly tokens: JobTokens,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(PublicUrl) private readonly publicUrl: PublicUrl,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  async invite(caller: JobsCaller, job: Job, owner: string): Promise<Record<string, unknown>> {
    if (job.state !== 'created') throw submitted(`the job is ${job.state}`);
    const claim = randomBytes(32).toString('base64url');
    const expiresAt = new Date(this.clock.now().getTime() + lifeMs);
    const hash = hashOf(claim);
    await this.store.transaction(async (tx) => {
      await tx.query('INSERT INTO claims (hash, job, owner, expires_at) VALUES ($1, $2, $3, $4)', [
        hash,
        job.id,
        owner,
        expiresAt,
      ]);
      const detail = { owner, claim: digestOf(hash) };
      await this.journal.note(tx, caller, job, { action: 'claim.make', detail });
    });
    return {
      data_owner: owner,
      claim_url: `${this.publicUrl.text}/ui/jobs/${job.id}/share#claim=${claim}`,
      expires_at: expiresAt.toISOString(),
    };
  }

  /** The first claim of a name binds the key that it gives, or that it gives none. */
  async use(
    visitor: Visitor,
    { claim, key }: { claim: string; key: string | null },
  ): Promise<Record<string, unknown>> {
    const hash = hashOf(claim);
    return this.store.transaction(async (tx) => {
      const now = this.clock.now();
      const { job, owner } = await this.take(tx, hash, now);
      await this.bind(tx, job, owner, key);
      const holder = { role: 'owner', job: job.id, tenant: job.tenant, owner } as const;
      const { token, expiresAt } = await this.tokens.issue(tx, holder, lifeMs);
      const { requestId, traceparent, address } = visitor;
      const caller = {
        who: { kind: 'holder', ...holder },
        requestId,
        traceparent,
        address,
      } as const;
      const keyDigest = key === null ? null : digestOf(hashOf(key));
      const detail = { claim: digestOf(hash), owner_key: keyDigest, address };
      await this.journal.note(tx, caller, job, { action: 'claim.use', detail });
      await this.journal.ofOwner(tx, job, owner, { change: 'claimed' });
      return { job_id: job.id, data_owner: owner, token, expires_at: expiresAt.toISOString() };
    });
  }

  private async take(tx: Tx, hash: Buffer, now: Date): Promise<{ job: Job; owner: string }> {
    const sql = 'SELECT job, owner, expires_at, used_at FROM claims WHERE hash = $1 FOR UPDATE';
    const [claim] = await tx.query<Claim>(sql, [hash]);
    if (claim === undefined) throw claimExpired('the link is not known, or no more');
    if (claim.used_at !== null) {
      const usedAt = claim.used_at.toISOString();
      throw claimUsed(`the link was used at ${usedAt}`, { members: { used_at: usedAt } });
    }
    if (claim.expires_at <= now) throw claimExpired('the link was not used in time');
    await tx.query('UPDATE claims SET used_at = $2 WHERE hash = $1', [hash, now]);
    const job = await this.jobs.lock(tx, claim.job);
    if (job === undefined) throw claimExpired('the job is gone');
    return { job, owner: claim.owner };
  }

  private async bind(tx: Tx, { id }: Job, name: string, key: string | null): Promise<void> {
    const known = await this.owners.find(id, name, tx);
    if (known === undefined) {
      await this.owners.bind(tx, { job: id, name, key, claimedAt: this.clock.now() });
      return;
    }
    if (known.key !== key) throw problems.conflict('another key is bound to this name');
    await this.owners.claim(tx, known);
  }
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Tells one from another in the trail, and no more. */
function digestOf(hash: Buffer): string {
  return `sha256:${hash.toString('hex').slice(0, 16)}`;
}
