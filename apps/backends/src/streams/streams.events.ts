import type { CloudEvent } from '@glacis/contracts';
import { OnBroadcast } from '@glacis/events';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { endings } from './endings.js';
import { LiveStreams } from './live-streams.js';
import { StreamEnder } from './stream-ender.js';

@Controller()
export class StreamsEvents {
  constructor(
    @Inject(LiveStreams) private readonly live: LiveStreams,
    @Inject(StreamEnder) private readonly ender: StreamEnder,
  ) {}

  /** The newest stream wins, whichever replica holds it. */
  @OnBroadcast('backends', 'backend.connected')
  connected(@Payload() { data }: CloudEvent<'backend.connected'>): void {
    const { backend_id: backendId, connection_type: connection = 'main' } = data;
    for (const stream of this.live.ofSlot({ backendId, connection })) {
      if (stream.facts.epoch < data.epoch) void this.ender.end(stream, endings.replaced);
    }
  }
}
