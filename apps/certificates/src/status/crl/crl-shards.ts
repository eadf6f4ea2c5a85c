import type { Store } from '@glacis/store';
import type { CaSet } from '../../authority/ca-set.js';
import type { StatusUrls } from '../../authority/status-urls.js';
import type { CertificatesSettings } from '../../settings.js';

/** A part of an issuer's leaves with a CRL of its own. */
export interface Shard {
  number: number;
  url: string;
}

export interface CrlShardsParts {
  store: Store;
  urls: StatusUrls | undefined;
  settings: CertificatesSettings;
}

interface OpenRow {
  scope: string;
  url: string;
}

/**
 * The open shards of each issuer (`certificates.md` 7). A leaf goes to the shard that its serial picks among them, so
 * issues share no counter; a count now and then closes a set that is full and opens the next.
 */
export class CrlShards {
  private readonly open = new Map<string, Shard[]>();

  constructor(private readonly parts: CrlShardsParts) {}

  /** The shard of a new leaf; null when certificates carry no pointers. */
  shardOf(issuerId: string, serial: bigint): Shard | null {
    const set = this.open.get(issuerId);
    if (set === undefined || set.length === 0) return null;
    return set[Number(serial % BigInt(set.length))] ?? null;
  }

  /** For every issuer that signs now or soon: counts the leaves of its open set, and opens the next when it is due. */
  async refresh(cas: CaSet): Promise<void> {
    if (this.parts.urls === undefined) return;
    for (const { id } of cas.signing()) await this.refreshSet(id);
  }

  private async refreshSet(issuerId: string): Promise<void> {
    const { store } = this.parts;
    const set = await this.usable(issuerId);
    if (set !== null) {
      this.open.set(issuerId, set);
      return;
    }
    await store.withLock(`crl-shards-${issuerId}`, async () => {
      this.open.set(issuerId, (await this.usable(issuerId)) ?? (await this.openNext(issuerId)));
    });
  }

  /** The open set, or null when there is none, it is full, or it names a status URL that is no more. */
  private async usable(issuerId: string): Promise<Shard[] | null> {
    const { store, settings } = this.parts;
    const rows = await store.query<OpenRow>(
      `SELECT scope, url FROM crl_shards WHERE issuer_id = $1 AND open ORDER BY scope::int`,
      [issuerId],
    );
    const set = rows.map((row) => ({ number: Number(row.scope), url: row.url }));
    if (set.length === 0 || this.isMoved(issuerId, set)) return null;
    const leaves = await this.count(issuerId, set);
    return leaves > settings.crlShardSize * set.length ? null : set;
  }

  /**
   * A set opened under another status URL is closed by a replica that starts. Later it may be used as it is, as while a
   * change is rolled out replicas with the old and with the new URL stand side by side.
   */
  private isMoved(issuerId: string, set: Shard[]): boolean {
    if (this.open.has(issuerId)) return false;
    return set.some((shard) => shard.url !== this.parts.urls?.shard(issuerId, shard.number));
  }

  private async count(issuerId: string, set: Shard[]): Promise<number> {
    const counted = await this.parts.store.query<{ leaves: string }>(
      `WITH counted AS (
         SELECT shard, count(*) AS leaves FROM certificates
         WHERE issuer_id = $1 AND shard = ANY($2) GROUP BY shard
       ), kept AS (
         UPDATE crl_shards SET leaves = counted.leaves FROM counted
         WHERE issuer_id = $1 AND scope = counted.shard::text AND crl_shards.leaves <> counted.leaves
       )
       SELECT leaves FROM counted`,
      [issuerId, set.map((shard) => shard.number)],
    );
    return counted.reduce((sum, row) => sum + Number(row.leaves), 0);
  }

  private async openNext(issuerId: string): Promise<Shard[]> {
    const { store, urls, settings } = this.parts;
    return store.transaction(async (tx) => {
      const [last] = await tx.query<{ next: number }>(
        `SELECT coalesce(max(scope::int) + 1, 0) AS next FROM crl_shards
         WHERE issuer_id = $1 AND url IS NOT NULL`,
        [issuerId],
      );
      const first = last?.next ?? 0;
      const set = Array.from({ length: settings.crlOpenShards }, (_, i) => ({
        number: first + i,
        url: urls?.shard(issuerId, first + i) ?? '',
      }));
      await tx.query(`UPDATE crl_shards SET open = false WHERE issuer_id = $1 AND open`, [
        issuerId,
      ]);
      await tx.query(
        `INSERT INTO crl_shards (issuer_id, scope, url, open)
         SELECT $1, scope, url, true FROM unnest($2::text[], $3::text[]) AS shard (scope, url)`,
        [issuerId, set.map((shard) => String(shard.number)), set.map((shard) => shard.url)],
      );
      return set;
    });
  }
}
