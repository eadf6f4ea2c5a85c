import { Outbox } from '@glacis/events';
import { problems, type Caller } from '@glacis/http';
import { Audit, TokenIssuer, TokenVerifier } from '@glacis/identity';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../settings.js';

/** The keys that sign tokens. */
@Injectable()
export class IssuerKeysService {
  constructor(
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
    @Inject(Store) private readonly store: Store,
    @Inject(TokenIssuer) private readonly issuer: TokenIssuer,
    @Inject(TokenVerifier) private readonly verifier: TokenVerifier,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /**
   * Replaces the signing key, one replica at a time. Recorded before it is done, as a folder takes no part in a
   * transaction: a crash in between leaves an entry in the audit trail without a new key, never the reverse.
   * @param overlapMs how long tokens made before are still good; default the longest life of a token
   */
  async rotate(caller: Caller, overlapMs = this.settings.tokenTtlMax): Promise<string> {
    if (overlapMs > this.settings.tokenTtlMax) {
      const detail = 'overlap: no token lives as long';
      throw problems.malformed(detail, { members: { field: 'overlap' } });
    }
    return this.store.withLock('issuer keys', async () => {
      const record = (keyId: string): Promise<void> => this.record(caller, keyId, overlapMs);
      const keyId = await this.issuer.rotate(overlapMs, record);
      this.verifier.recheck();
      await this.announce(caller, keyId);
      return keyId;
    });
  }

  private record(caller: Caller, keyId: string, overlapMs: number): Promise<void> {
    return this.store.transaction((tx) =>
      this.audit.record(tx, {
        actor: caller.principal.subject,
        tenant: null,
        action: 'token.keys.rotate',
        subject: keyId,
        requestId: caller.requestId,
        after: { overlap_ms: overlapMs },
      }),
    );
  }

  /** Processes that miss it read the keys again within minutes. */
  private announce({ traceparent }: Caller, keyId: string): Promise<void> {
    return this.store.transaction((tx) =>
      this.outbox.add(tx, {
        type: 'token.keys.rotated',
        subject: this.issuer.issuer,
        tenant: '',
        data: { key_id: keyId },
        traceparent,
      }),
    );
  }
}
