/** What a small program needs to have a certificate of its own: no readers, no ASN.1 library. */
export { generateKeys, privateKeyPem, type KeyPair } from './keys.js';
export { toPem } from './pem.js';
export { bareCsr } from './write-csr.js';
