import { certIdHashes, type OcspRequestItem } from '@glacis/pki';
import type { Authority } from '../../authority/authority.js';
import type { Ca } from '../../authority/issuer.entity.js';

/** Finds the intermediate that a CertID names by its hashes. */
export class OurIssuers {
  private readonly idsByHashes = new Map<string, string>();

  constructor(private readonly authority: Authority) {}

  /** The one issuer of ours that all items name; undefined for a foreign, an ended or a second one, and for a root. */
  of(items: readonly OcspRequestItem[]): Ca | undefined {
    const [first, ...others] = items.map((item) => this.named(item));
    return others.every((other) => other === first) ? first : undefined;
  }

  private named(item: OcspRequestItem): Ca | undefined {
    if (item.hash === null) return undefined;
    const key = hashesKey(item.hash, item.issuerNameHash, item.issuerKeyHash);
    const id = this.idsByHashes.get(key) ?? this.learn().get(key);
    return this.authority.cas.answering().find((ca) => ca.id === id);
  }

  /** Intermediates come rarely; their hashes are made when first asked for. */
  private learn(): ReadonlyMap<string, string> {
    const all = this.authority.cas.answering();
    if (this.idsByHashes.size < 2 * all.length) {
      for (const ca of all) {
        const { sha1, sha256 } = certIdHashes(ca.info);
        this.idsByHashes.set(hashesKey('sha1', sha1.nameHash, sha1.keyHash), ca.id);
        this.idsByHashes.set(hashesKey('sha256', sha256.nameHash, sha256.keyHash), ca.id);
      }
    }
    return this.idsByHashes;
  }
}

const hashesKey = (hash: string, name: Buffer, key: Buffer): string =>
  `${hash} ${name.toString('base64')} ${key.toString('base64')}`;
