import { Module, type DynamicModule } from '@nestjs/common';
import { RevocationsController } from './revocations.controller.js';
import { RevokedTokens } from './tokens/revoked-tokens.js';
import { TokenIssuer } from './tokens/token-issuer.js';
import { TokenVerifier } from './tokens/token-verifier.js';

export interface IdentityOptions {
  issuer: TokenIssuer;
  verifier: TokenVerifier;
  /** The set that the verifier consults. */
  revoked: RevokedTokens;
}

/** Gives the whole process its issuer, verifier and set of revoked tokens, and listens for revocations. */
@Module({})
export class IdentityModule {
  static forRoot({ issuer, verifier, revoked }: IdentityOptions): DynamicModule {
    return {
      module: IdentityModule,
      global: true,
      controllers: [RevocationsController],
      providers: [
        { provide: TokenIssuer, useValue: issuer },
        { provide: TokenVerifier, useValue: verifier },
        { provide: RevokedTokens, useValue: revoked },
      ],
      exports: [TokenIssuer, TokenVerifier, RevokedTokens],
    };
  }
}
