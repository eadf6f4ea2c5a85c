import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { bareCsr, toPem } from '@glacis/pki';
import { chainPem, isRoot, rootsPem } from './certificate-chain.js';
import { EstClient } from './est-client.js';
import { RefusedError } from './est-error.js';
import type { Identity, IdentityStore } from './identity.js';

export interface EnrolOptions {
  /** `host` or `host:port` of EST. */
  server: string;
  /** Id of the backend that this host is. */
  backend: string;
  token: string;
  /** SHA-256 of the root in DER, in hex: by it the server is known at the first contact. */
  caSha256: string;
}

/**
 * Gets this host its first certificate (`backends.md` 14). The key is made here and stays here. Broken off at any point,
 * the same call takes up where it was.
 * @throws {RefusedError} @throws {TryAgainError}
 */
export async function enrol(options: EnrolOptions, store: IdentityStore): Promise<Identity> {
  const { server, backend, token } = options;
  const enrolledBy = sha256(token);
  const key = await store.enrolmentKey(enrolledBy);
  const root = await pinnedRoot(options);
  const client = new EstClient(server, { ca: toPem('CERTIFICATE', root) });
  const cas = await client.caCertificates();
  const privateKey = createPrivateKey(key);
  const leaf = await client.enrol(backend, token, bareCsr(privateKey));
  if (!new X509Certificate(leaf).checkPrivateKey(privateKey)) {
    throw new RefusedError('key-mismatch', 'the certificate is for another key');
  }
  const identity = { ca: rootsPem(cas), cert: chainPem(leaf, cas), key, server, enrolledBy };
  await store.write(identity);
  return identity;
}

/** The one root that the hash names. Nothing else of this first answer is believed. */
async function pinnedRoot({ server, caSha256 }: EnrolOptions): Promise<Buffer> {
  const told = await new EstClient(server).caCertificates();
  const root = told.find((der) => sha256(der) === caSha256.toLowerCase());
  if (root === undefined || !isRoot(new X509Certificate(root))) {
    throw new RefusedError('ca-mismatch', 'the server has no root with this SHA-256');
  }
  return root;
}

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');
