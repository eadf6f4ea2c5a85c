import { Inject, Injectable } from '@nestjs/common';
import { Commands } from '../commands/commands.service.js';
import { RefusedClients } from '../streams/refused-clients.js';
import { TerminationHolder } from '../terminations/termination-holder.js';
import type { Duty } from './duty.js';

/** Looks for what other replicas have recorded for us: requests to end our streams, commands for them, clients to be blocked. */
@Injectable()
export class SharedStatePoll implements Duty {
  readonly name = 'shared state';
  readonly intervalMs = 2_000;

  constructor(
    @Inject(TerminationHolder) private readonly terminations: TerminationHolder,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(RefusedClients) private readonly refused: RefusedClients,
  ) {}

  async run(): Promise<void> {
    await this.terminations.poll();
    await this.commands.poll();
    await this.refused.refresh();
  }
}
