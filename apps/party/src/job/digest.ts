import { createHash } from 'node:crypto';

/** `sha256:` and the digest in hexadecimal, as the wire has it. */
export const sha256Of = (data: string | Uint8Array): string =>
  `sha256:${createHash('sha256').update(data).digest('hex')}`;
