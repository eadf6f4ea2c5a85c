export {
  TokenIssuer,
  type IssuedToken,
  type TokenIssuerOptions,
  type TokenRequest,
} from './tokens/token-issuer.js';
export {
  keyRing,
  newSigningKey,
  publicJwk,
  type KeyRing,
  type RetiredKey,
} from './tokens/key-ring.js';
export { TokenVerifier, type TokenVerifierOptions } from './tokens/token-verifier.js';
export { type TrustedIssuer } from './tokens/trusted-issuer.js';
export { maxLeewaySeconds, RevokedTokens, type RevokedToken } from './tokens/revoked-tokens.js';
export {
  RevocationFeed,
  type RevocationFeedOptions,
  type RevocationPage,
  type RevocationSource,
} from './tokens/revocation-feed.js';
export { identitySettings, type IdentitySettings } from './settings.js';
export { openIdentity, type OpenIdentityOptions } from './open-identity.js';
export { IdentityModule, type IdentityOptions } from './identity.module.js';
export { adminScope, type AdminScope } from './administrators.js';
export { Audit, type AuditEntry } from './audit/audit.js';
export { AuditModule } from './audit/audit.module.js';
export { auditMigrations } from './audit/audit.migrations.js';
export { sealAudit } from './audit/sealer.js';
export { verifyAudit, type AuditVerification } from './audit/verify-audit.js';
export type { ChainFault, ChainHead } from './audit/chain.js';
