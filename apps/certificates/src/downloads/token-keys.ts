import { randomBytes } from 'node:crypto';
import type { Clock } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import type { KeySafe } from '../keys/key-safe.js';

const lifeMs = 24 * 3_600_000;
const overlapMs = 10 * 60_000;
/** A token may name a key that another replica has just made; nobody makes us look more often than this. */
const lookAgainMs = 1_000;

export interface TokenKey {
  kid: string;
  secret: Uint8Array;
  createdAt: Date;
}

export interface TokenKeysParts {
  store: Store;
  safe: KeySafe;
  clock: Clock;
}

/** The random keys that sign download tokens: a new one each day, the replaced one good for 10 minutes more. */
export class TokenKeys {
  /** Newest first. */
  private keys: TokenKey[] = [];
  private lookedAt = 0;

  constructor(private readonly parts: TokenKeysParts) {}

  current(): TokenKey {
    const [newest] = this.keys;
    if (newest === undefined) throw new Error('download token keys are not loaded');
    return newest;
  }

  /** The key of that id while tokens signed with it count. */
  async find(kid: string): Promise<TokenKey | undefined> {
    if (!this.keys.some((key) => key.kid === kid)) await this.lookAgain();
    const at = this.keys.findIndex((key) => key.kid === kid);
    const successor = this.keys[at - 1];
    const now = this.parts.clock.now().getTime();
    const isGood = successor === undefined || now < successor.createdAt.getTime() + overlapMs;
    return isGood ? this.keys[at] : undefined;
  }

  /** Loads the keys, makes a new one when the newest is a day old, and removes those that no longer count. */
  async refresh(): Promise<void> {
    await this.load();
    if (!this.isDue()) return;
    await this.parts.store.withLock('download-token-key', async () => {
      await this.load();
      if (this.isDue()) await this.replace();
    });
  }

  private isDue(): boolean {
    const [newest] = this.keys;
    const now = this.parts.clock.now().getTime();
    return newest === undefined || now - newest.createdAt.getTime() >= lifeMs;
  }

  private async replace(): Promise<void> {
    const { store, safe, clock } = this.parts;
    const key = safe.seal(randomBytes(32), 'download-token');
    await store.transaction(async (tx) => {
      await safe.insert(tx, [key]);
      await tx.query(
        `DELETE FROM private_keys WHERE purpose = 'download-token' AND created_at < $1`,
        [new Date(clock.now().getTime() - 2 * lifeMs)],
      );
    });
    await this.load();
  }

  private async lookAgain(): Promise<void> {
    const now = this.parts.clock.now().getTime();
    if (Math.abs(now - this.lookedAt) < lookAgainMs) return;
    this.lookedAt = now;
    await this.load();
  }

  private async load(): Promise<void> {
    const { store, safe } = this.parts;
    const rows = await store.query<{ id: string; created_at: Date }>(
      `SELECT id, created_at FROM private_keys WHERE purpose = 'download-token'
       ORDER BY created_at DESC, id DESC LIMIT 3`,
    );
    const known = new Map(this.keys.map((key) => [key.kid, key]));
    const keys = await Promise.all(
      rows.map(async ({ id, created_at: createdAt }) => {
        const secret = known.get(id)?.secret ?? (await safe.open(id));
        return secret === null ? [] : [{ kid: id, secret, createdAt }];
      }),
    );
    this.keys = keys.flat();
  }
}
