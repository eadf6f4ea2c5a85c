import { problems } from '@glacis/http';
import { fromPem, pkcs12 } from '@glacis/pki';
import { createPrivateKey } from 'node:crypto';
import type { Bundle } from './downloads.service.js';

export const keyStoreType = 'application/x-pkcs12';

/**
 * The password of a key store comes in a header, which no log of ours holds: a query would stand in the logs of proxies,
 * and the route has no body.
 */
export const keyStorePassword = {
  header: 'x-key-store-password',
  /** @throws Problem `malformed`, without the value */
  read(value: string | string[] | undefined): string {
    if (typeof value === 'string' && /^[\x21-\x7e]{8,128}$/.test(value)) return value;
    throw problems.malformed(
      'X-Key-Store-Password: expected 8 to 128 visible ASCII characters for PKCS#12',
      { members: { field: 'X-Key-Store-Password' } },
    );
  },
} as const;

/** Certificate, chain, roots and, while it is stored, the key as one PKCS#12 file; the serial is the alias. */
export function keyStoreOf(bundle: Bundle, serial: string, password: string): Promise<Buffer> {
  const certificates = [bundle.cert, bundle.roots].flatMap((pem) => fromPem(pem));
  return pkcs12({
    certificates: certificates.map(({ der }) => der),
    privateKey: bundle.key === null ? null : createPrivateKey(bundle.key),
    password,
    name: serial,
  });
}
