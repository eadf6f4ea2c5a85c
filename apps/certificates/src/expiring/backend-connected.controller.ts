import type { CloudEvent } from '@glacis/contracts';
import { EventContext, OnEvent } from '@glacis/events';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { markUsed } from './expiring.store.js';

/** A stream was opened with a certificate: if it is a renewed one, that is in use now. */
@Controller()
export class BackendConnectedController {
  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  @OnEvent('certificates', 'backend.connected')
  async connected(
    @Payload() event: CloudEvent<'backend.connected'>,
    @Ctx() context: EventContext,
  ): Promise<void> {
    await markUsed(context.tx, event.data.certificate_serial, this.clock.now());
  }
}
