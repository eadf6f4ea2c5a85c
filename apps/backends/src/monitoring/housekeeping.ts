import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { purgeCommands } from '../commands/commands.store.js';
import { purgeRuns } from '../runs/runs.store.js';
import { RefusedClients } from '../streams/refused-clients.js';
import type { Duty } from './duty.js';

/** Removes what no longer counts. */
@Injectable()
export class Housekeeping implements Duty {
  readonly name = 'housekeeping';
  readonly intervalMs = 3_600_000;

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(RefusedClients) private readonly refused: RefusedClients,
  ) {}

  async run(): Promise<void> {
    await this.refused.purge();
    await purgeRuns(this.store);
    await purgeCommands(this.store);
  }
}
