import type { ClientMessage } from '@glacis/grpc';
import { Inject, Injectable } from '@nestjs/common';
import { AgentReports } from '../agents/agent-reports.js';
import { InformationService } from '../information/information.service.js';
import { Relay } from '../runs/relay.js';
import { RunAnswers } from '../runs/run-answers.js';
import { RunQueues } from '../runs/run-queues.js';
import { DialectWatch } from './dialect-watch.js';
import { endings } from './endings.js';
import type { LiveStream } from './live-stream.js';
import { StreamEnder } from './stream-ender.js';

/** What a client sends, in its order. */
@Injectable()
export class Inbound {
  constructor(
    @Inject(Relay) private readonly relay: Relay,
    @Inject(RunAnswers) private readonly answers: RunAnswers,
    @Inject(RunQueues) private readonly runs: RunQueues,
    @Inject(DialectWatch) private readonly watch: DialectWatch,
    @Inject(InformationService) private readonly information: InformationService,
    @Inject(AgentReports) private readonly reports: AgentReports,
    @Inject(StreamEnder) private readonly ender: StreamEnder,
  ) {}

  receive(stream: LiveStream, bytes: Buffer): void {
    stream.heard();
    let message: ClientMessage | undefined;
    try {
      message = stream.dialect.decodeClient(bytes);
    } catch {
      void this.ender.end(stream, endings.undecodable);
      return;
    }
    this.watch.see(stream, message?.kind);
    if (message === undefined || !stream.expects(message.kind)) return;
    this.runs.heard(stream, message);
    this.handle(stream, message, bytes.length);
  }

  private handle(stream: LiveStream, message: ClientMessage, bytes: number): void {
    switch (message.kind) {
      case 'agentEvent':
      case 'agentLog':
        this.relay.push(stream, message, bytes);
        return;
      case 'runResponse':
      case 'runResult':
        this.answers.heard(stream, message, bytes);
        return;
      case 'information':
        void this.information.heard(stream, message.value);
        return;
      case 'agentState':
      case 'vtpmEvidence':
      case 'azureEvidence':
        this.reports.heard(stream, message, bytes);
        return;
      default:
        // The queue of runs has heard it, and nobody else has use for it.
        return;
    }
  }
}
