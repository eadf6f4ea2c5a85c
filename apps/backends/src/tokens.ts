/** Injection tokens of what is not a class. */
export const SETTINGS = Symbol('backends settings');
/** The `CertificatesRpc` client. */
export const CERTIFICATES = Symbol('certificates');
