import { createPrivateKey, type KeyObject } from 'node:crypto';
import { keyRing, publicJwk, type KeyRing, type RetiredKey } from '@glacis/identity';
import { rewrap, seal, unseal, type Binding, type KekRing } from '@glacis/pki';
import type { StoredKey } from './issuer-keys.store.js';

/** Encrypts the keys of the token issuer. How long a key verifies is part of what its encryption is bound to. */
export class IssuerKeySafe {
  constructor(private readonly keks: KekRing) {}

  async sealSigning(key: KeyObject): Promise<StoredKey> {
    const { kid: id } = await publicJwk(key);
    return this.seal({ id, until: null }, key.export({ type: 'pkcs8', format: 'der' }));
  }

  /**
   * A key that has signed, without its private part.
   * @throws {SealBrokenError}
   */
  async retire(signing: StoredKey, until: Date): Promise<StoredKey> {
    const jwk = await publicJwk(this.openSigning(signing));
    return this.seal({ id: signing.id, until }, Buffer.from(JSON.stringify(jwk)));
  }

  /**
   * @param keys with the one that signs among them
   * @throws {SealBrokenError} when one was changed or added by somebody without the key-encryption key
   */
  async open(keys: readonly StoredKey[]): Promise<KeyRing> {
    const signing = keys.find(({ until }) => until === null);
    if (signing === undefined) throw new Error('no key signs tokens');
    return keyRing(
      this.openSigning(signing),
      keys.flatMap((key) => this.openRetired(key)),
    );
  }

  /** Null: it is wrapped by the current key-encryption key already. */
  rewrapped(key: StoredKey): Pick<StoredKey['sealed'], 'kekId' | 'wrappedDek'> | null {
    if (key.sealed.kekId === this.keks.current.id) return null;
    return rewrap(key.sealed, bindingOf(key), this.keks);
  }

  private openSigning(key: StoredKey): KeyObject {
    const bytes = unseal(key.sealed, bindingOf(key), this.keks);
    return createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
  }

  private openRetired(key: StoredKey): RetiredKey[] {
    if (key.until === null) return [];
    const text = unseal(key.sealed, bindingOf(key), this.keks).toString();
    return [{ jwk: JSON.parse(text) as RetiredKey['jwk'], until: key.until }];
  }

  private seal(key: Pick<StoredKey, 'id' | 'until'>, bytes: Buffer): StoredKey {
    return { ...key, sealed: seal(bytes, bindingOf(key), this.keks) };
  }
}

function bindingOf({ id, until }: Pick<StoredKey, 'id' | 'until'>): Binding {
  const purpose = until === null ? 'signs' : `verifies until ${until.toISOString()}`;
  return { table: 'issuer_keys', id, purpose };
}
