import { LOGGER, type Logger } from '@glacis/observability';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { LiveStream } from '../streams/live-stream.js';
import { Relay } from './relay.js';
import { answerOf, type RunAnswer } from './relayed-event.js';
import { noteAnswer } from './runs.store.js';

/** What is shown of an answer, in characters: a list of runs holds a hundred of them. */
const MAX_ERROR = 4096;
const MAX_PORT = 64;

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
    void this.note(stream, message, bytes);
  }

  private async note(stream: LiveStream, message: RunAnswer, bytes: number): Promise<void> {
    const { computationId, error, agentPort } = answerOf(message);
    stream.hold(bytes);
    try {
      await noteAnswer(this.store, stream.facts.backendId, {
        computationId,
        error: error.slice(0, MAX_ERROR),
        agentPort: agentPort.slice(0, MAX_PORT),
      });
    } catch (cause) {
      // Only what REST shows stays behind: whoever waits for the answer has it from the bus.
      this.logger.warn({ err: cause, stream: stream.facts.streamId }, 'answer to a run not noted');
    } finally {
      stream.release(bytes);
    }
  }
}
