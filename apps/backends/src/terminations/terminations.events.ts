import type { CloudEvent } from '@glacis/contracts';
import { OnBroadcast } from '@glacis/events';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { TerminationHolder } from './termination-holder.js';

@Controller()
export class TerminationsEvents {
  constructor(@Inject(TerminationHolder) private readonly holder: TerminationHolder) {}

  @OnBroadcast('backends', 'backend.termination.requested')
  requested(@Payload() event: CloudEvent<'backend.termination.requested'>): void {
    if (event.data.stream_id) this.holder.carryOut(event.data.stream_id, new Date(event.time));
  }
}
