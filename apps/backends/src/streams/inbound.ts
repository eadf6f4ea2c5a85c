import type { ClientMessage } from '@glacis/grpc';
import { Inject, Injectable } from '@nestjs/common';
import { InformationService } from '../information/information.service.js';
import { Relay } from '../runs/relay.js';
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
    @Inject(RunQueues) private readonly runs: RunQueues,
    @Inject(DialectWatch) private readonly watch: DialectWatch,
    @Inject(InformationService) private readonly information: InformationService,
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
    if (message.kind === 'agentEvent' || message.kind === 'agentLog') {
      this.relay.push(stream, message, bytes.length);
    } else if (message.kind === 'information') {
      void this.information.heard(stream, message.value);
    }
  }
}
