import { createHash } from 'node:crypto';
import { problems } from '@glacis/http';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { JobsCaller } from '../access/callers.js';
import type { AccessedJob } from '../access/job-access.js';
import { JobTokens } from '../access/job-tokens.js';
import type { Job } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { Journal } from '../jobs/journal.js';
import { tablesOf } from '../plan/tables.js';
import { submitted } from '../problems.js';
import { countingOf } from '../validation/counting-policies.js';
import type { Owner, StoredPolicy } from './owner.entity.js';
import { OwnersStore } from './owners.store.js';
import { StoredFiles, type StoredSet } from './stored-files.js';

/** What is known of an owner for one table. */
interface Row {
  owner: Owner;
  table: string;
  sets: readonly StoredSet[];
  policy: StoredPolicy | undefined;
}

@Injectable()
export class OwnersService {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(OwnersStore) private readonly owners: OwnersStore,
    @Inject(StoredFiles) private readonly files: StoredFiles,
    @Inject(JobTokens) private readonly tokens: JobTokens,
    @Inject(Journal) private readonly journal: Journal,
  ) {}

  /** A row for each owner and table that it registered for. */
  async list(job: Job): Promise<Record<string, unknown>[]> {
    const [owners, sets, policies] = await Promise.all([
      this.owners.registered(job.id),
      this.owners.sets(job.id),
      this.owners.policies(job.id),
    ]);
    const stored = await this.files.of(job, owners, sets);
    const counting = countingOf(policies);
    const several = tablesOf(job.schema).size > 1;
    return owners.flatMap((owner) => {
      const own = stored.filter(({ set }) => set.owner === owner.name);
      const tables = [...new Set(own.map(({ set }) => set.tableName))];
      return tables.map((table) => {
        const of = own.filter(({ set }) => set.tableName === table);
        const policy = counting.find(
          (each) => each.owner === owner.name && (!several || each.tableName === table),
        );
        return itemOf({ owner, table, sets: of, policy }, several);
      });
    });
  }

  /** Its files go, its links are refused, its tokens end. */
  async unregister(
    caller: JobsCaller,
    { job, role, owner: own }: AccessedJob,
    name: string,
  ): Promise<void> {
    if (role === 'owner' && own !== name) throw problems.notFound('no such owner');
    const { owner, sets } = await this.store.transaction(async (tx) => {
      const locked = await this.jobs.lock(tx, job.id);
      if (locked?.state !== 'created') throw submitted(`the job is ${locked?.state ?? 'gone'}`);
      const found = await this.owners.find(job.id, name, tx);
      if (found === undefined || found.sequence === null) throw problems.notFound('no such owner');
      const withdrawn = await this.owners.sets(job.id, name, tx);
      await this.owners.unregister(tx, found);
      await this.tokens.revokeOwner(tx, job.id, name);
      await this.journal.ofOwner(tx, job, name, { change: 'unregistered' });
      await this.journal.note(tx, caller, job, {
        action: 'owner.unregister',
        detail: { owner: name },
      });
      return { owner: found, sets: withdrawn };
    });
    await this.files.withdraw(job, owner, sets);
  }
}

function itemOf({ owner, table, sets, policy }: Row, several: boolean): Record<string, unknown> {
  const { name, sequence, key, claimedAt } = owner;
  const shown = sets.map(({ set: { number }, files }) => ({
    set: number,
    files,
    complete: files.every(Boolean),
  }));
  return {
    data_owner: name,
    sequence,
    table: several ? table : null,
    sets: shown,
    owner_key: key && fingerprintOf(key),
    ...grantOf(policy),
    claimed_at: claimedAt?.toISOString() ?? null,
    effective_set: shown.findLast(({ complete }) => complete)?.set ?? null,
  };
}

function fingerprintOf(key: string): string {
  return `sha256:${createHash('sha256').update(key, 'base64url').digest('hex')}`;
}

function grantOf(policy: StoredPolicy | undefined): Record<string, unknown> {
  return {
    policy: policy?.policy ?? null,
    consent_raw_rows: policy?.consentRawRows ?? false,
  };
}
