import { redactText } from '../access/redact.js';
import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import type { Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';

export interface LogLine {
  attempt: number;
  step?: string;
  party?: number;
  level: 'debug' | 'info' | 'warn' | 'error';
  /** True: what an agent wrote; admins only read it. Default false. */
  agent?: boolean;
  text: string;
}

/** Lines of a job kept at most; the oldest go. */
const kept = 5_000;
/** Characters of a line kept. */
const longest = 4_000;

/** Writes the log of a job, in the transaction of what it tells. Links, tokens and keys are taken out of it. */
@Injectable()
export class JobLogs {
  constructor(@Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock) {}

  async add(tx: Tx, job: string, lines: readonly LogLine[]): Promise<void> {
    if (lines.length === 0) return;
    await tx.query(
      `WITH numbered AS (
         UPDATE jobs SET log_seq = log_seq + $3 WHERE id = $1 RETURNING log_seq - $3 AS before
       ), dropped AS (
         DELETE FROM job_logs USING numbered WHERE job = $1 AND seq <= before + $3 - $5
       )
       INSERT INTO job_logs (job, seq, at, attempt, step, party, level, agent, text)
       SELECT $1, before + line.ordinality, $2, attempt, step, party, level, coalesce(agent, false), text
       FROM numbered, ROWS FROM (json_to_recordset($4::json) AS (
         attempt integer, step text, party integer, level text, agent boolean, text text
       )) WITH ORDINALITY AS line`,
      [
        job,
        this.clock.now(),
        lines.length,
        JSON.stringify(
          lines.map((line) => ({ ...line, text: redactText(line.text).slice(0, longest) })),
        ),
        kept,
      ],
    );
  }
}
