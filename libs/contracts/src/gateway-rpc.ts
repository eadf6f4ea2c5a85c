/** What other services may ask of `gateway`. */
export interface GatewayRpc {
  /**
   * A token by which the calling service acts at the door as `admin` of that tenant, for 15 minutes. INVALID_ARGUMENT
   * for a bad tenant, PERMISSION_DENIED for a service that is given none.
   */
  issueToken(request: ServiceTokenRequest): Promise<ServiceToken>;
  /** The keys that tokens are verified with: a JSON Web Key Set (RFC 7517) as text. */
  keySet(request: Record<string, never>): Promise<{ jwks: string }>;
  /**
   * Revoked tokens that have not expired yet. An id may come twice, none is left out.
   * @param request `since`: the watermark of an earlier answer; absent: all of them
   */
  revokedTokens(request: { since?: string }): Promise<RevokedTokensPage>;
}

export interface ServiceTokenRequest {
  tenant: string;
  /** `service:<name>` of the service that asks; between processes, as its certificate names it. */
  requestedBy: string;
}

export interface ServiceToken {
  token: string;
  expiresAt: Date;
}

export interface RevokedTokensPage {
  revoked: { id: string; expiresAt: Date }[];
  /** For the next question. */
  watermark: string;
  /** True when there are more than fitted into the answer. */
  more: boolean;
}
