/** Injection token of the rate limit on public reads other than OCSP. */
export const PUBLIC_LIMIT = Symbol('limit of public reads');
/** Injection token of all that `compose` made. */
export const SERVICES = Symbol('services of certificates');
