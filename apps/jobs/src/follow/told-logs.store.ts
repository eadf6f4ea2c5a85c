import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Job } from '../jobs/job.entity.js';

const number = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);

export const logsQuery = z.object({
  step: z.string().max(64).optional(),
  party: number.meta({ type: 'integer' }).optional(),
  level: z.enum(['debug', 'info', 'warn', 'error']).optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  cursor: number.meta({ type: 'string' }).optional(),
});
export type LogsQuery = z.infer<typeof logsQuery>;

const pageSize = 200;
/** Levels from the least severe on. */
const levels = ['debug', 'info', 'warn', 'error'];

interface Row {
  seq: string;
  at: Date;
  attempt: number;
  step: string | null;
  party: number | null;
  level: string;
  text: string;
}

@Injectable()
export class ToldLogs {
  constructor(@Inject(Store) private readonly store: Store) {}

  /** @param agents whether lines of agents are told, which admins read only */
  async of({ id }: Job, agents: boolean, query: LogsQuery): Promise<Record<string, unknown>> {
    const { step, party, level, since, cursor } = query;
    const severe = level === undefined ? levels : levels.slice(levels.indexOf(level));
    const rows = await this.store.query<Row>(
      `SELECT seq, at, attempt, step, party, level, text FROM job_logs
       WHERE job = $1 AND ($2 OR NOT agent) AND ($3::text IS NULL OR step = $3)
         AND ($4::int IS NULL OR party = $4) AND level = ANY ($5)
         AND ($6::timestamptz IS NULL OR at >= $6) AND ($7::bigint IS NULL OR seq < $7)
       ORDER BY seq DESC LIMIT $8`,
      [id, agents, step ?? null, party ?? null, severe, since ?? null, cursor ?? null, pageSize],
    );
    const last = rows.length === pageSize ? rows.at(-1) : undefined;
    return { items: rows.map(itemOf), next_cursor: last?.seq ?? null };
  }
}

function itemOf({ seq, at, ...line }: Row): Record<string, unknown> {
  return { seq: Number(seq), time: at.toISOString(), ...line };
}
