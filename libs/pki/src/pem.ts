/** One block of a PEM text. */
export interface PemBlock {
  /** As `CERTIFICATE`, `X509 CRL`, `CERTIFICATE REQUEST`. */
  label: string;
  der: Buffer;
}

/** PEM text of one block: lines of 64 characters, one line feed at the end. */
export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

const block = /-----BEGIN ([A-Z0-9 ]{1,64})-----([A-Za-z0-9+/=\s]*)-----END \1-----/g;

/** Every block of a PEM text in order; text around the blocks, and blocks with headers, are passed over. */
export function fromPem(text: string): PemBlock[] {
  return [...text.matchAll(block)].map(([, label = '', body = '']) => ({
    label,
    der: Buffer.from(body, 'base64'),
  }));
}
