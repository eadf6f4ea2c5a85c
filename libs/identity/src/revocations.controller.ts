import type { CloudEvent } from '@glacis/contracts';
import { OnBroadcast } from '@glacis/events';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { RevokedTokens } from './tokens/revoked-tokens.js';

/** Drops a revoked token in this process as soon as the bus tells of it. */
@Controller()
export class RevocationsController {
  constructor(@Inject(RevokedTokens) private readonly revoked: RevokedTokens) {}

  @OnBroadcast('identity', 'token.revoked')
  onRevoked(@Payload() event: CloudEvent<'token.revoked'>): void {
    const { token_id, expires_at } = event.data;
    this.revoked.add({ id: token_id, expiresAt: new Date(expires_at) });
  }
}
