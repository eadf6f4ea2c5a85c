import {
  Inject,
  Module,
  Optional,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type Provider,
} from '@nestjs/common';
import { RevocationsController } from './revocations.controller.js';
import { RevocationFeed } from './tokens/revocation-feed.js';
import { RevokedTokens } from './tokens/revoked-tokens.js';
import { TokenIssuer } from './tokens/token-issuer.js';
import { TokenVerifier } from './tokens/token-verifier.js';

export interface IdentityOptions {
  verifier: TokenVerifier;
  /** The set that the verifier consults. */
  revoked: RevokedTokens;
  /** Only in the process that makes tokens: the gateway. */
  issuer?: TokenIssuer;
  /** Fills the set from the gateway, in every other process; runs as long as the application. */
  feed?: RevocationFeed;
}

/** Gives the whole process its verifier and set of revoked tokens, and listens for revocations. */
@Module({})
export class IdentityModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(@Optional() @Inject(RevocationFeed) private readonly feed?: RevocationFeed) {}

  static forRoot({ verifier, revoked, issuer, feed }: IdentityOptions): DynamicModule {
    const providers: Provider[] = [
      { provide: TokenVerifier, useValue: verifier },
      { provide: RevokedTokens, useValue: revoked },
      ...(issuer ? [{ provide: TokenIssuer, useValue: issuer }] : []),
      ...(feed ? [{ provide: RevocationFeed, useValue: feed }] : []),
    ];
    const exports = [TokenVerifier, RevokedTokens, ...(issuer ? [TokenIssuer] : [])];
    const controllers = [RevocationsController];
    return { module: IdentityModule, global: true, controllers, providers, exports };
  }

  onApplicationBootstrap(): void {
    this.feed?.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.feed?.stop();
  }
}
