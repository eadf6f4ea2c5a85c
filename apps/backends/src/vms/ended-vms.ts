import { CLOCK, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { BackendDeletion } from '../backends/backend-deletion.js';
import type { Duty } from '../monitoring/duty.js';
import type { BackendsSettings } from '../settings.js';
import { SETTINGS } from '../tokens.js';
import { expiredVms, markLostUncertain } from './vms.store.js';

/** Lets go of VMs whose time is over, and of attempts whose replica has died. */
@Injectable()
export class EndedVms implements Duty {
  readonly name = 'ended VMs';
  readonly intervalMs = 5_000;

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(BackendDeletion) private readonly deletion: BackendDeletion,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: BackendsSettings,
  ) {}

  async run(): Promise<void> {
    const now = this.clock.now();
    // Twice the deadline of the call: the replica that made it had something to do before and after.
    await markLostUncertain(this.store, new Date(now.getTime() - 2 * this.settings.vmTimeout));
    for (const { id, tenant } of await expiredVms(this.store, now)) {
      const by = { tenant, principal: { subject: 'service:backends' } };
      await this.deletion.delete(by, id, undefined);
    }
  }
}
