import { Store, type Queryable } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { Job, JobParty } from './job.entity.js';

/** Names of the columns are those of the members in snake case. */
type Row<T> = Record<string, unknown> & { readonly entity?: T };

const camelCase = (column: string): string =>
  column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The members of an entity from its row. */
export function entityOf<T>(row: Row<T>): T {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [camelCase(column), value]),
  ) as T;
}

@Injectable()
export class JobsStore {
  constructor(@Inject(Store) private readonly store: Store) {}

  /** @param id as a caller gave it; what is no UUID is no job */
  async find(id: string, db: Queryable = this.store): Promise<Job | undefined> {
    const [row] = await db.query<Row<Job>>('SELECT * FROM jobs WHERE id::text = $1', [id]);
    return row && entityOf(row);
  }

  /** In the order of the parties. */
  async parties(job: string, db: Queryable = this.store): Promise<JobParty[]> {
    const sql = 'SELECT * FROM job_parties WHERE job = $1 ORDER BY party';
    return (await db.query<Row<JobParty>>(sql, [job])).map((row) => entityOf(row));
  }
}
