import { newSigningKey, type KeyRing } from '@glacis/identity';
import { loadKeks } from '@glacis/pki';
import type { Clock } from '@glacis/runtime';
import type { Store, Tx } from '@glacis/store';
import { IssuerKeySafe } from './issuer-key-safe.js';
import {
  lockKeys,
  readKeys,
  replaceKeys,
  saveWrapped,
  type StoredKey,
} from './issuer-keys.store.js';

/** Milliseconds for which a retired key verifies beyond its overlap: replicas learn of the new one a moment later. */
const rotationMarginMs = 60_000;

/** The keys of the token issuer in the gateway's database, encrypted, the same for all replicas. */
export class KeptKeys {
  /** Of those read last. */
  private version = '';

  private constructor(
    private readonly store: Store,
    private readonly safe: IssuerKeySafe,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes the first key when there is none; all who start at once have the same.
   * @throws {KekUnavailableError} when the file of the key-encryption keys cannot be used
   */
  static async open(store: Store, kekFile: string, clock: Clock): Promise<KeptKeys> {
    const kept = new KeptKeys(store, new IssuerKeySafe(await loadKeks(kekFile)), clock);
    await kept.makeFirst();
    return kept;
  }

  /**
   * What there is now. Keys that an older key-encryption key has wrapped are wrapped anew.
   * @throws {SealBrokenError} when one was wrapped by a key-encryption key that is not loaded, or was changed
   */
  async read(): Promise<KeyRing> {
    const keys = await readKeys(this.store);
    const ring = await this.safe.open(keys);
    for (const key of keys) {
      const sealed = this.safe.rewrapped(key);
      if (sealed) await saveWrapped(this.store, { id: key.id, sealed }, key.sealed.kekId);
    }
    this.version = versionOf(keys);
    return ring;
  }

  /** True when there are others than those read last: somebody has rotated. */
  async haveChanged(): Promise<boolean> {
    return versionOf(await readKeys(this.store)) !== this.version;
  }

  /**
   * A new key signs from the commit on.
   * @param overlapMs how long tokens made before are still good; 0: no earlier key verifies any more
   * @returns the id of the new key
   */
  async rotate(tx: Tx, overlapMs: number): Promise<string> {
    const keys = await lockKeys(tx);
    const next = await this.safe.sealSigning(newSigningKey());
    const earlier = overlapMs > 0 ? await this.retired(keys, overlapMs + rotationMarginMs) : [];
    await replaceKeys(tx, [next, ...earlier]);
    return next.id;
  }

  private retired(keys: readonly StoredKey[], restMs: number): Promise<StoredKey[]> {
    const now = this.clock.now();
    const until = new Date(now.getTime() + restMs);
    const good = keys.filter((key) => key.until === null || key.until > now);
    return Promise.all(
      good.map(async (key) => (key.until === null ? this.safe.retire(key, until) : key)),
    );
  }

  private async makeFirst(): Promise<void> {
    const first = await this.safe.sealSigning(newSigningKey());
    await this.store.transaction(async (tx) => {
      if ((await lockKeys(tx)).length === 0) await replaceKeys(tx, [first]);
    });
  }
}

function versionOf(keys: readonly StoredKey[]): string {
  return keys.map(({ id, until }) => `${id} ${until?.getTime()}`).join();
}
