/** Who a verified token speaks for. */
export interface Principal {
  subject: string;
  /** `null`: the token is bound to no tenant. */
  tenant: string | null;
  roles: readonly string[];
  tokenId: string;
  issuer: string;
  /** Epoch seconds. */
  expiresAt: number;
}

/** What is known of any request, with or without a token. */
export interface Visitor {
  principal: Principal | null;
  requestId: string;
  /** W3C trace context to be handed on. */
  traceparent: string;
  /** The client's IP address: that of the peer unless the peer is a trusted proxy. */
  address: string;
}

/** The caller of a route that needs a token. */
export interface Caller extends Visitor {
  principal: Principal;
  /** Never empty where the route asks for `member` or `admin`; `""` for a token without tenant elsewhere. */
  tenant: string;
}
