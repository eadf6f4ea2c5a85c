export const roleNames = ['member', 'admin', 'platform-admin'] as const;
export type RoleName = (typeof roleNames)[number];

/** What is remembered of a token; its text is not. */
export interface Token {
  /** `jti`. */
  id: string;
  subject: string;
  /** Null: it belongs to no tenant. */
  tenant: string | null;
  roles: RoleName[];
  createdAt: Date;
  /** Subject of the token that asked for it. */
  createdBy: string;
  expiresAt: Date;
  revokedAt: Date | null;
  revokedBy: string | null;
}
