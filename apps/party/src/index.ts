export { LinkError } from './links/link-error.js';
export { LinkListener } from './links/listener.js';
export { Ring, type RingOptions } from './links/ring.js';
export type { Hello } from './links/hello.js';
export type { PartyIdentity } from './links/tls.js';
