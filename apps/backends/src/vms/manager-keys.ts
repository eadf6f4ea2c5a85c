import {
  loadKeks,
  rewrap,
  seal,
  unseal,
  type Binding,
  type KekRing,
  type Sealed,
} from '@glacis/pki';
import { problems } from '@glacis/http';
import { Store } from '@glacis/store';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Duty } from '../monitoring/duty.js';
import type { BackendsSettings } from '../settings.js';
import { SETTINGS } from '../tokens.js';
import { lockKeysWrappedBy, saveWrapped } from './vm-managers.store.js';

const rewrapBatch = 200;

/** Encrypts the keys by which managers are called, and wraps those of older key-encryption keys anew. */
@Injectable()
export class ManagerKeys implements Duty, OnModuleInit {
  readonly name = 'rewrapping of manager keys';
  readonly intervalMs = 60_000;
  private keks: KekRing | undefined;

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(SETTINGS) private readonly settings: BackendsSettings,
  ) {}

  /** @throws {KekUnavailableError} */
  async onModuleInit(): Promise<void> {
    const { kekFile } = this.settings;
    if (kekFile !== undefined) this.keks = await loadKeks(kekFile);
  }

  /** @throws {Problem} 503 there is no key to encrypt with */
  seal(hostId: string, key: string): Sealed {
    return seal(Buffer.from(key), bindingOf(hostId), this.keyRing());
  }

  /** @throws {Problem} 503; {SealBrokenError} */
  open(hostId: string, key: Sealed): Buffer {
    return unseal(key, bindingOf(hostId), this.keyRing());
  }

  async run(): Promise<void> {
    const { keks } = this;
    const older = [...(keks?.byId.keys() ?? [])].filter((id) => id !== keks?.current.id);
    if (keks === undefined || older.length === 0) return;
    while ((await this.rewrapSome(keks, older)) === rewrapBatch) continue;
  }

  private rewrapSome(keks: KekRing, older: string[]): Promise<number> {
    return this.store.transaction(async (tx) => {
      const rows = await lockKeysWrappedBy(tx, older, rewrapBatch);
      for (const { hostId, ...key } of rows) {
        await saveWrapped(tx, hostId, rewrap(key, bindingOf(hostId), keks));
      }
      return rows.length;
    });
  }

  private keyRing(): KekRing {
    if (this.keks !== undefined) return this.keks;
    throw problems.unavailable('this service has no key-encryption key for the keys of managers');
  }
}

function bindingOf(id: string): Binding {
  return { table: 'vm_managers', id, purpose: 'client-key' };
}
