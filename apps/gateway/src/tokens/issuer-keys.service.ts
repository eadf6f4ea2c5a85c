import { Outbox } from '@glacis/events';
import { problems, type Caller } from '@glacis/http';
import { Audit, TokenIssuer, TokenVerifier } from '@glacis/identity';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../settings.js';
import { KeptKeys } from './kept-keys.js';

/** The keys that sign tokens. */
@Injectable()
export class IssuerKeysService {
  constructor(
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
    @Inject(Store) private readonly store: Store,
    @Inject(KeptKeys) private readonly kept: KeptKeys,
    @Inject(TokenIssuer) private readonly issuer: TokenIssuer,
    @Inject(TokenVerifier) private readonly verifier: TokenVerifier,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /**
   * Replaces the signing key, for all replicas.
   * @param overlapMs how long tokens made before are still good; default the longest life of a token
   * @returns the id of the new key
   */
  async rotate(caller: Caller, overlapMs = this.settings.tokenTtlMax): Promise<string> {
    if (overlapMs > this.settings.tokenTtlMax) {
      const detail = 'overlap: no token lives as long';
      throw problems.malformed(detail, { members: { field: 'overlap' } });
    }
    return this.store.transaction(async (tx) => {
      const keyId = await this.kept.rotate(tx, overlapMs);
      await this.audit.record(tx, {
        actor: caller.principal.subject,
        tenant: null,
        action: 'token.keys.rotate',
        subject: keyId,
        requestId: caller.requestId,
        after: { overlap_ms: overlapMs },
      });
      await this.outbox.add(tx, {
        type: 'token.keys.rotated',
        subject: this.issuer.issuer,
        tenant: '',
        data: { key_id: keyId },
        traceparent: caller.traceparent,
      });
      tx.afterCommit(() => this.verifier.recheck());
      return keyId;
    });
  }
}
