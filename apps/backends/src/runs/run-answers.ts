import { LOGGER, type Logger } from '@glacis/observability';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { LiveStream } from '../streams/live-stream.js';
import { Relay } from './relay.js';
import { answerOf, type RunAnswer } from './relayed-event.js';
import { noteAnswer } from './runs.store.js';

/** Hands on what clients answer to runs, and shows it beside the run. */
@Injectable()
export class RunAnswers {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Relay) private readonly relay: Relay,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  heard(stream: LiveStream, message: RunAnswer, bytes: number): void {
    this.relay.push(stream, message, bytes);
    noteAnswer(this.store, stream.facts.backendId, answerOf(message)).catch((error: unknown) =>
      // Only what REST shows stays behind: whoever waits for the answer has it from the bus.
      this.logger.warn({ err: error, stream: stream.facts.streamId }, 'answer to a run not noted'),
    );
  }
}
