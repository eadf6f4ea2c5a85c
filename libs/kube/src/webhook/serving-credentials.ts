import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** PEM texts. */
export interface ServingCredentials {
  key: string | Buffer;
  /** The certificate, then its intermediates. */
  cert: string | Buffer;
  /** Roots by which callers are to verify it; during a change of the CA the old and the new. Empty: not our matter. */
  ca: string | Buffer;
}

/** Whoever has a certificate and renews it, such as `ServiceCertificate` of `@glacis/grpc`. */
export interface CredentialsSource {
  /** As they are now; the same object until there are new ones. Cheap: asked every second. */
  credentials(): ServingCredentials;
}

export interface CredentialFiles {
  key: string;
  cert: string;
  /** Absent: others see to it that callers trust the certificate. */
  ca?: string;
}

/** Files such as cert-manager's Secret has them when it is mounted: `tls.key`, `tls.crt`, `ca.crt`. */
export function credentialFiles(files: CredentialFiles): CredentialsSource {
  let last: { key: string; cert: string; ca: string } | undefined;
  return {
    credentials: () => {
      const now = {
        key: textOf(files.key),
        cert: textOf(files.cert),
        ca: files.ca === undefined ? '' : textOf(files.ca),
      };
      const same = last?.key === now.key && last.cert === now.cert && last.ca === now.ca;
      if (last === undefined || !same) last = now;
      return last;
    },
  };
}

const textOf = (file: string): string => readFileSync(file, 'utf8');

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Each certificate of a bundle in one form, so that they can be compared. @throws {Error} for what is none */
export function certificatesIn(bundle: string | Buffer): string[] {
  const texts = bundle.toString().match(pemCertificate) ?? [];
  return texts.map((text) => new X509Certificate(text).toString());
}

/** Epoch milliseconds at which the first certificate of a chain expires. */
export function expiryOf({ cert }: ServingCredentials): number {
  return Date.parse(new X509Certificate(cert).validTo);
}
