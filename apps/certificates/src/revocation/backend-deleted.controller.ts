import type { CloudEvent } from '@glacis/contracts';
import { EventContext, OnEvent } from '@glacis/events';
import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { revocationReasons } from './reasons.js';
import { Revocation } from './revocation.service.js';

/** The safety net behind the deletion of a backend: whatever certificate it still has is revoked, and none follows. */
@Controller()
export class BackendDeletedController {
  constructor(private readonly revocation: Revocation) {}

  @OnEvent('certificates', 'backend.deleted')
  async revokeRest(
    @Payload() event: CloudEvent<'backend.deleted'>,
    @Ctx() context: EventContext,
  ): Promise<void> {
    await this.revocation.endEntityIn(context.tx, {
      tenant: event.tenant,
      entityType: event.data.entity_type ?? 'backend',
      entityId: event.data.backend_id,
      reason: revocationReasons.cessationOfOperation,
      by: { actor: 'certificates', traceparent: context.traceparent },
    });
  }
}
