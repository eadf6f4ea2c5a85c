import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store, type Queryable, type Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { entityOf, insert } from '../jobs/rows.js';
import { ownerDir } from '../storage/names.js';
import type { Owner, StoredPolicy, UploadSet } from './owner.entity.js';

/** Owners of jobs with their sets and policies. Whoever writes holds the row of the job. */
@Injectable()
export class OwnersStore {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  async find(job: string, name: string, db: Queryable = this.store): Promise<Owner | undefined> {
    const sql = 'SELECT * FROM owners WHERE job = $1 AND name = $2';
    const [row] = await db.query(sql, [job, name]);
    return row && entityOf<Owner>(row);
  }

  /** Those that are registered, in the order in which they were. */
  async registered(job: string, db: Queryable = this.store): Promise<Owner[]> {
    const sql = 'SELECT * FROM owners WHERE job = $1 AND sequence IS NOT NULL ORDER BY sequence';
    return (await db.query(sql, [job])).map((row) => entityOf<Owner>(row));
  }

  /** Binds a name to a key, or to having none. */
  async bind(tx: Tx, owner: Pick<Owner, 'job' | 'name' | 'key' | 'claimedAt'>): Promise<Owner> {
    const { job, name } = owner;
    const bound = {
      ...owner,
      dir: ownerDir(job, name),
      sequence: null,
      boundAt: this.clock.now(),
    };
    await insert(tx, 'owners', bound);
    return bound;
  }

  /** Notes when the link of an owner was used whose name was bound before. */
  async claim(tx: Tx, { job, name }: Owner): Promise<void> {
    const sql =
      'UPDATE owners SET claimed_at = coalesce(claimed_at, $3) WHERE job = $1 AND name = $2';
    await tx.query(sql, [job, name, this.clock.now()]);
  }

  /** Gives an owner the next place in the order, unless it has one. */
  async register(tx: Tx, { job, name }: Owner): Promise<void> {
    await tx.query(
      `UPDATE owners SET sequence = (SELECT coalesce(max(sequence), 0) + 1 FROM owners WHERE job = $1)
       WHERE job = $1 AND name = $2 AND sequence IS NULL`,
      [job, name],
    );
  }

  /** Takes the registration back, with all sets and policies; the name stays bound. */
  async unregister(tx: Tx, { job, name }: Owner): Promise<void> {
    await tx.query('UPDATE owners SET sequence = NULL WHERE job = $1 AND name = $2', [job, name]);
    await tx.query('UPDATE upload_sets SET withdrawn = true WHERE job = $1 AND owner = $2', [
      job,
      name,
    ]);
    await tx.query('UPDATE policies SET withdrawn = true WHERE job = $1 AND owner = $2', [
      job,
      name,
    ]);
  }

  /** Numbers of sets go on behind those that were withdrawn, as links to these may still be about. */
  async addSet(tx: Tx, set: Omit<UploadSet, 'number' | 'createdAt'>): Promise<UploadSet> {
    const number = await nextNumber(tx, 'upload_sets', set);
    const added = { ...set, number, createdAt: this.clock.now() };
    await insert(tx, 'upload_sets', added);
    return added;
  }

  /** All that were not withdrawn, the oldest first. @param owner absent: of all owners */
  async sets(job: string, owner?: string, db: Queryable = this.store): Promise<UploadSet[]> {
    const rows = await db.query(
      `SELECT job, owner, number, table_name, files, expires_at, created_at FROM upload_sets
       WHERE job = $1 AND ($2::text IS NULL OR owner = $2) AND NOT withdrawn ORDER BY owner, number`,
      [job, owner ?? null],
    );
    return rows.map((row) => entityOf<UploadSet>(row));
  }

  /** How many numbers of sets an owner has used up. */
  async countSets(db: Queryable, job: string, owner: string): Promise<number> {
    const sql = 'SELECT count(*) FROM upload_sets WHERE job = $1 AND owner = $2';
    const [row] = await db.query<{ count: string }>(sql, [job, owner]);
    return Number(row?.count);
  }

  /** New links for a set; what its owner says of its files counts once. */
  async extendSet(
    tx: Tx,
    { job, owner, number }: UploadSet,
    { expiresAt, files }: Pick<UploadSet, 'expiresAt' | 'files'>,
  ): Promise<UploadSet> {
    const [row] = await tx.query(
      `UPDATE upload_sets SET expires_at = $4, files = coalesce(files, $5)
       WHERE job = $1 AND owner = $2 AND number = $3
       RETURNING job, owner, number, table_name, files, expires_at, created_at`,
      [job, owner, number, expiresAt, files && JSON.stringify(files)],
    );
    return entityOf<UploadSet>(row ?? {});
  }

  async addPolicy(tx: Tx, policy: Omit<StoredPolicy, 'number' | 'createdAt'>): Promise<void> {
    const number = await nextNumber(tx, 'policies', policy);
    await insert(tx, 'policies', { ...policy, number, createdAt: this.clock.now() });
  }

  /** All that were not withdrawn, by owner and number. */
  async policies(job: string, db: Queryable = this.store): Promise<StoredPolicy[]> {
    const rows = await db.query(
      `SELECT job, owner, number, table_name, policy, consent_raw_rows, issued_at, signed_text, signature,
         created_at FROM policies WHERE job = $1 AND NOT withdrawn ORDER BY owner, number`,
      [job],
    );
    return rows.map((row) => entityOf<StoredPolicy>(row));
  }

  /** Notes that an owner gets links now. @returns how often it has within the time before, this time included */
  async mint(tx: Tx, { job, name }: Owner, withinMs: number): Promise<number> {
    const at = this.clock.now();
    await tx.query('INSERT INTO url_mints (job, owner, at) VALUES ($1, $2, $3)', [job, name, at]);
    const [row] = await tx.query<{ count: string }>(
      'SELECT count(*) FROM url_mints WHERE job = $1 AND owner = $2 AND at > $3',
      [job, name, new Date(at.getTime() - withinMs)],
    );
    return Number(row?.count);
  }
}

async function nextNumber(
  tx: Tx,
  table: 'upload_sets' | 'policies',
  { job, owner }: { job: string; owner: string },
): Promise<number> {
  const [row] = await tx.query<{ number: number }>(
    `SELECT coalesce(max(number), 0) + 1 AS number FROM ${table} WHERE job = $1 AND owner = $2`,
    [job, owner],
  );
  return row?.number ?? 1;
}
