import { Audit } from '@glacis/identity';
import type { Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { actorOf, type JobsCaller } from '../access/callers.js';
import type { Job } from './job.entity.js';
import { JobEvents } from './job-events.js';

/** What somebody did with a job. Nothing secret in it: no link, no token, no salt, no literal of the query. */
export interface Deed {
  /** As `owner.register`. */
  action: string;
  detail?: Record<string, unknown>;
}

/** What callers do with jobs: the trail, and what followers are told, in the transaction of the deed itself. */
@Injectable()
export class Journal {
  constructor(
    @Inject(Audit) private readonly audit: Audit,
    @Inject(JobEvents) private readonly events: JobEvents,
  ) {}

  async note(
    tx: Tx,
    caller: JobsCaller,
    { id, tenant }: Pick<Job, 'id' | 'tenant'>,
    { action, detail }: Deed,
  ): Promise<void> {
    const { requestId, who } = caller;
    const role = who.kind === 'holder' ? who.role : who.kind;
    await this.audit.record(tx, {
      actor: actorOf(caller),
      tenant,
      action,
      subject: id,
      requestId,
      detail: { role, ...detail },
    });
  }

  /** An `owner` event, for the analyst, admins and that owner. */
  async ofOwner(
    tx: Tx,
    { id }: Pick<Job, 'id'>,
    owner: string,
    data: Record<string, unknown>,
  ): Promise<void> {
    await this.events.add(tx, id, 'owner', { data_owner: owner, ...data }, { owner });
  }
}
