import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { AccessedJob } from '../access/job-access.js';

/** An event as its followers get it. */
export interface ToldEvent {
  /** Sequence within the job, from 1. */
  id: number;
  event: string;
  at: string;
  data: Record<string, unknown>;
}

interface Row {
  seq: string;
  at: Date;
  event: string;
  data: Record<string, unknown>;
}

/** What a caller is told: owners hear of the state and of themselves. */
const told = `job = $1 AND seq > $2 AND ($3 OR event IN ('state', 'end') OR owner = $4)`;

const paramsOf = ({ job, role, owner }: AccessedJob, seq: number): unknown[] => [
  job.id,
  seq,
  role !== 'owner',
  owner ?? null,
];

@Injectable()
export class ToldEvents {
  constructor(@Inject(Store) private readonly store: Store) {}

  /** What comes after an event, in order. */
  async after(accessed: AccessedJob, seq: number, limit: number): Promise<ToldEvent[]> {
    const rows = await this.store.query<Row>(
      `SELECT seq, at, event, data FROM job_events WHERE ${told} ORDER BY seq LIMIT $5`,
      [...paramsOf(accessed, seq), limit],
    );
    return rows.map(({ seq: id, at, event, data }) => ({
      id: Number(id),
      event,
      at: at.toISOString(),
      data,
    }));
  }

  /** Length of all that comes after an event. */
  async bytesAfter(accessed: AccessedJob, seq: number): Promise<number> {
    const [row] = await this.store.query<{ bytes: string }>(
      `SELECT coalesce(sum(octet_length(data::text)), 0) AS bytes FROM job_events WHERE ${told}`,
      paramsOf(accessed, seq),
    );
    return Number(row?.bytes);
  }
}
