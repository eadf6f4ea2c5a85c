import type { CloudEvent } from '@glacis/contracts';
import { OnBroadcast } from '@glacis/events';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { RevokedTokens } from './tokens/revoked-tokens.js';
import { TokenVerifier } from './tokens/token-verifier.js';

/** Drops a revoked token, or the tokens of a withdrawn key, in this process as soon as the bus tells of it. */
@Controller()
export class RevocationsController {
  constructor(
    @Inject(RevokedTokens) private readonly revoked: RevokedTokens,
    @Inject(TokenVerifier) private readonly verifier: TokenVerifier,
  ) {}

  @OnBroadcast('identity', 'token.revoked')
  onRevoked(@Payload() event: CloudEvent<'token.revoked'>): void {
    const { token_id, expires_at } = event.data;
    this.revoked.add({ id: token_id, expiresAt: new Date(expires_at) });
  }

  @OnBroadcast('identity', 'token.keys.rotated')
  onRotated(): void {
    this.verifier.recheck();
  }
}
