import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Kek, KekRing } from './kek.js';

/** A secret under a data key of its own, which is wrapped by a key-encryption key. */
export interface Sealed {
  kekId: string;
  wrappedDek: Buffer;
  iv: Buffer;
  ciphertext: Buffer;
  tag: Buffer;
}

/** What a sealed secret is bound to: moved to another row or purpose it does not open. */
export interface Binding {
  table: string;
  id: string;
  purpose: string;
}

/** The stored bytes were changed or moved, or the key-encryption key that wrapped them is not loaded. */
export class SealBrokenError extends Error {
  readonly code = 'SEAL_BROKEN';

  constructor(binding: Binding, reason: string, options?: ErrorOptions) {
    super(
      `${binding.table} ${binding.id} (${binding.purpose}) cannot be opened: ${reason}`,
      options,
    );
    this.name = 'SealBrokenError';
  }
}

const ivLength = 12;
const tagLength = 16;

const additionalData = (binding: Binding): Buffer =>
  Buffer.from([binding.table, binding.id, binding.purpose].join('\0'));

/** Encrypts with AES-256-GCM under a new data key. */
export function seal(secret: Buffer, binding: Binding, keks: KekRing): Sealed {
  const dek = randomBytes(32);
  const { iv, ciphertext, tag } = encrypt(dek, secret, binding);
  return { ...wrap(dek, binding, keks.current), iv, ciphertext, tag };
}

/** @throws {SealBrokenError} */
export function unseal(sealed: Sealed, binding: Binding, keks: KekRing): Buffer {
  const dek = unwrap(sealed, binding, keks);
  return decrypt(dek, sealed, binding);
}

/**
 * The same secret with its data key wrapped by the current key-encryption key.
 * @throws {SealBrokenError}
 */
export function rewrap(
  sealed: Pick<Sealed, 'kekId' | 'wrappedDek'>,
  binding: Binding,
  keks: KekRing,
): Pick<Sealed, 'kekId' | 'wrappedDek'> {
  return wrap(unwrap(sealed, binding, keks), binding, keks.current);
}

function wrap(dek: Buffer, binding: Binding, kek: Kek): Pick<Sealed, 'kekId' | 'wrappedDek'> {
  const { iv, ciphertext, tag } = encrypt(kek.key, dek, binding);
  return { kekId: kek.id, wrappedDek: Buffer.concat([iv, ciphertext, tag]) };
}

function unwrap(
  { kekId, wrappedDek }: Pick<Sealed, 'kekId' | 'wrappedDek'>,
  binding: Binding,
  keks: KekRing,
): Buffer {
  const kek = keks.byId.get(kekId);
  if (kek === undefined) {
    throw new SealBrokenError(binding, `key-encryption key ${kekId} is not loaded`);
  }
  const end = wrappedDek.length - tagLength;
  const parts = {
    iv: wrappedDek.subarray(0, ivLength),
    ciphertext: wrappedDek.subarray(ivLength, end),
    tag: wrappedDek.subarray(end),
  };
  return decrypt(kek.key, parts, binding);
}

type Encrypted = Pick<Sealed, 'iv' | 'ciphertext' | 'tag'>;

function encrypt(key: Buffer, secret: Buffer, binding: Binding): Encrypted {
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(additionalData(binding));
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  return { iv, ciphertext, tag: cipher.getAuthTag() };
}

function decrypt(key: Buffer, { iv, ciphertext, tag }: Encrypted, binding: Binding): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagLength });
    decipher.setAAD(additionalData(binding)).setAuthTag(tag);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch (cause) {
    throw new SealBrokenError(binding, 'its bytes do not authenticate', { cause });
  }
}
