import { Inject, Injectable } from '@nestjs/common';
import { BackendDeletion } from '../backends/backend-deletion.js';
import type { Duty } from './duty.js';

/** Finishes deletions that were begun and not finished. */
@Injectable()
export class AbandonedDeletions implements Duty {
  readonly name = 'abandoned deletions';
  readonly intervalMs = 15_000;

  constructor(@Inject(BackendDeletion) private readonly deletion: BackendDeletion) {}

  run(): Promise<void> {
    return this.deletion.finishAbandoned();
  }
}
