import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** A key-encryption key. Its id is stored beside whatever it wrapped. */
export interface Kek {
  id: string;
  key: Buffer;
}

/** The loaded key-encryption keys: the first wraps, all unwrap. */
export interface KekRing {
  current: Kek;
  byId: ReadonlyMap<string, Kek>;
}

/** The service does not start: the file of the key-encryption keys cannot be used. Restore it from its Secret. */
export class KekUnavailableError extends Error {
  readonly code = 'KEK_UNAVAILABLE';

  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`key-encryption key file ${file}: ${reason}`, options);
    this.name = 'KekUnavailableError';
  }
}

/**
 * Reads 32 raw bytes, or one key of 32 bytes per line in base64 or hex.
 * @throws {KekUnavailableError}
 */
export async function loadKeks(file: string): Promise<KekRing> {
  const content = await readFile(file).catch((cause: unknown) => {
    throw new KekUnavailableError(file, 'cannot be read', { cause });
  });
  const keys = content.length === 32 ? [content] : keysOfLines(content.toString('latin1'));
  if (keys === null)
    throw new KekUnavailableError(file, 'holds something else than keys of 32 bytes');
  const [current, ...older] = keys.map(kekOf);
  if (current === undefined) throw new KekUnavailableError(file, 'is empty');
  return { current, byId: new Map([current, ...older].map((kek) => [kek.id, kek])) };
}

function keysOfLines(text: string): Buffer[] | null {
  const lines = text.split(/\s+/).filter((line) => line !== '');
  const keys = lines.map(keyOfLine).filter((key) => key !== null);
  return keys.length === lines.length ? keys : null;
}

function keyOfLine(line: string): Buffer | null {
  if (/^[0-9a-fA-F]{64}$/.test(line)) return Buffer.from(line, 'hex');
  return /^[A-Za-z0-9+/]{43}=?$/.test(line) ? Buffer.from(line, 'base64') : null;
}

function kekOf(key: Buffer): Kek {
  return { id: createHash('sha256').update(key).digest('hex').slice(0, 16), key };
}
