import { certIdHashes, type OcspRequestItem } from '@glacis/pki';
import type { Authority } from '../../authority/authority.js';
import type { SigningCa } from '../../authority/issuer.entity.js';

/** Finds the intermediate that a CertID names by its hashes. */
export class OurIssuers {
  private readonly byHashes = new Map<string, SigningCa>();

  constructor(private readonly authority: Authority) {}

  /** The one issuer of ours that all items name; undefined for a foreign, an ended or a second one, and for a root. */
  of(items: readonly OcspRequestItem[]): SigningCa | undefined {
    const [first, ...others] = items.map((item) => this.named(item));
    return others.every((other) => other === first) ? first : undefined;
  }

  private named(item: OcspRequestItem): SigningCa | undefined {
    if (item.hash === null) return undefined;
    const key = hashesKey(item.hash, item.issuerNameHash, item.issuerKeyHash);
    const known = this.byHashes.get(key) ?? this.learn().get(key);
    return known !== undefined && this.authority.intermediates().includes(known)
      ? known
      : undefined;
  }

  /** Intermediates come rarely; their hashes are made when first asked for. */
  private learn(): ReadonlyMap<string, SigningCa> {
    const all = this.authority.intermediates();
    if (this.byHashes.size < 2 * all.length) {
      for (const ca of all) {
        const { sha1, sha256 } = certIdHashes(ca.info);
        this.byHashes.set(hashesKey('sha1', sha1.nameHash, sha1.keyHash), ca);
        this.byHashes.set(hashesKey('sha256', sha256.nameHash, sha256.keyHash), ca);
      }
    }
    return this.byHashes;
  }
}

const hashesKey = (hash: string, name: Buffer, key: Buffer): string =>
  `${hash} ${name.toString('base64')} ${key.toString('base64')}`;
