import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { SettingsError } from '@glacis/settings';

/**
 * What services that are spoken to over TLS are checked against: the roots of Node and those of the file. Undefined
 * without a file: then TLS has its default.
 * @throws {SettingsError} when the file cannot be read or holds no certificate
 */
export function upstreamRoots(file: string | undefined): string[] | undefined {
  if (file === undefined) return undefined;
  try {
    const pem = readFileSync(file, 'utf8');
    const own = pem.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? [];
    if (own.length === 0) throw new Error('it holds no certificate in PEM');
    return [...rootCertificates, ...own.map((each) => new X509Certificate(each).toString())];
  } catch (error) {
    const reason = `${file} cannot be used: ${(error as Error).message}`;
    throw new SettingsError([{ name: 'GLACIS_GATEWAY_UPSTREAM_CA_FILE', reason }]);
  }
}
