import { Outbox, type NewEvent } from '@glacis/events';
import { Audit } from '@glacis/identity';
import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import type { Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { hasEnded, labelOf, mayFollow, RUNNING_STATES, type JobState } from '../state.js';
import type { Failure, Job } from './job.entity.js';
import { JobEvents } from './job-events.js';

/** What else changes with the state. */
export interface TransitionMore {
  /** The lease under which it is decided; without one the job may be under any. */
  leaseToken?: string;
  /** The attempt that begins; default: the one that goes on. */
  attempt?: number;
  failure?: Failure | null;
  cancelReason?: string;
  teardown?: 'pending' | 'done';
  deadlineAt?: Date;
  /** Who does it, for the trail; default: the service. */
  actor?: string;
  requestId?: string;
  traceparent?: string;
}

type JobRef = Pick<Job, 'id' | 'tenant' | 'state' | 'attempt'>;

/** The one way by which the state of a job changes. */
@Injectable()
export class Transitions {
  constructor(
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(JobEvents) private readonly events: JobEvents,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /**
   * Moves the job to a state, with its events and its row in the trail, if it still is in the state and attempt given and
   * under the lease. False: somebody else was faster, nothing has changed and the caller gives up what it was doing.
   * @throws {RangeError} when the state may not follow
   */
  async transition(tx: Tx, job: JobRef, to: JobState, more: TransitionMore = {}): Promise<boolean> {
    if (!mayFollow(job.state, to)) throw new RangeError(`${job.state} is not followed by ${to}`);
    const attempt = more.attempt ?? job.attempt;
    const written = await this.write(tx, job, to, { ...more, attempt });
    if (written === undefined) return false;
    const { id, tenant } = job;
    const { reached, progress } = written;
    const data = { state: to, attempt, label: labelOf(to, reached), progress };
    await this.events.add(tx, id, hasEnded(to) ? 'end' : 'state', data);
    await this.outbox.add(tx, ...busEvents(job, { to, attempt }, more));
    await this.audit.record(tx, {
      actor: more.actor ?? 'jobs',
      tenant,
      action: `job.${to}`,
      subject: id,
      requestId: more.requestId,
      before: { state: job.state, attempt: job.attempt },
      after: { state: to, attempt, ...(more.failure && { failure: more.failure }) },
    });
    return true;
  }

  private async write(
    tx: Tx,
    job: JobRef,
    to: JobState,
    more: TransitionMore & { attempt: number },
  ): Promise<Pick<Job, 'reached' | 'progress'> | undefined> {
    const runs = RUNNING_STATES.includes(to);
    const anew = !runs && !hasEnded(to) && to !== 'failing' && to !== 'cancelling';
    const [row] = await tx.query<Pick<Job, 'reached' | 'progress'>>(
      `UPDATE jobs SET state = $4, attempt = $5, updated_at = $6,
         reached = CASE WHEN $7 THEN $4 WHEN $8 THEN NULL ELSE reached END,
         failure = CASE WHEN $9 THEN $10::json ELSE failure END,
         cancel_reason = CASE WHEN $8 THEN NULL ELSE coalesce($11, cancel_reason) END,
         teardown = CASE WHEN $8 THEN NULL ELSE coalesce($12, teardown) END,
         deadline_at = coalesce($13, deadline_at),
         submitted_at = CASE WHEN $4 = 'submitted' THEN $6 ELSE submitted_at END,
         started_at = CASE WHEN $4 = 'creating_vms' THEN $6 ELSE started_at END,
         progress = CASE WHEN $8 OR $4 = 'submitted' THEN 0 WHEN $4 = 'success' THEN 1 ELSE progress END,
         ended_at = CASE WHEN $14 THEN $6::timestamptz ELSE NULL END
       WHERE id = $1 AND state = $2 AND attempt = $3 AND ($15::uuid IS NULL OR lease_token = $15)
       RETURNING reached, progress`,
      [
        job.id,
        job.state,
        job.attempt,
        to,
        more.attempt,
        this.clock.now(),
        runs,
        anew,
        more.failure !== undefined,
        more.failure ? JSON.stringify(more.failure) : null,
        more.cancelReason ?? null,
        more.teardown ?? null,
        more.deadlineAt ?? null,
        hasEnded(to),
        more.leaseToken ?? null,
      ],
    );
    return row;
  }
}

function busEvents(
  { id, tenant, state }: JobRef,
  { to, attempt }: { to: JobState; attempt: number },
  { failure, traceparent }: TransitionMore,
): NewEvent[] {
  const common = { subject: id, tenant, traceparent };
  const changed: NewEvent = {
    ...common,
    type: 'job.state_changed',
    data: { job_id: id, from: state, to, attempt },
  };
  if (to === 'submitted') {
    return [changed, { ...common, type: 'job.submitted', data: { job_id: id, attempt } }];
  }
  if (!hasEnded(to)) return [changed];
  const data = { job_id: id, attempt, outcome: to as 'success', failure_class: failure?.class };
  return [changed, { ...common, type: 'job.finished', data }];
}
