import type { KeyObject } from 'node:crypto';
import {
  certificate,
  generateKeys,
  keyIdOf,
  newSerial,
  readCertificate,
  responderExtensions,
  type OcspResponder,
} from '@glacis/pki';
import type { Store } from '@glacis/store';
import { newId, type Clock } from '@glacis/runtime';
import type { KeySafe } from '../keys/key-safe.js';
import type { CertificatesSettings } from '../settings.js';
import type { CaSet } from './ca-set.js';
import { canSign, type SigningCa } from './issuer.entity.js';
import { insertResponder, newestResponder, type ResponderRow } from './issuers.store.js';
import { backdateMs } from './make-ca.js';

const lifeMs = 7 * 24 * 3_600_000;

export interface RespondersParts {
  settings: CertificatesSettings;
  store: Store;
  safe: KeySafe;
  clock: Clock;
}

/** The OCSP responders, one per live intermediate, each replaced at half of its life. */
export class Responders {
  private readonly byIssuer = new Map<string, OcspResponder>();

  constructor(private readonly parts: RespondersParts) {}

  /** Who signs for the issuer; undefined for a root, a foreign issuer, and one that has ended. */
  of(issuerId: string): OcspResponder | undefined {
    return this.byIssuer.get(issuerId);
  }

  /** Loads the responder of every live intermediate and makes those that are missing or past half of their life. */
  async refresh(cas: CaSet): Promise<void> {
    const live = cas.answering().filter(canSign);
    for (const ca of live) this.byIssuer.set(ca.id, await this.load(await this.fresh(ca)));
    for (const id of this.byIssuer.keys()) {
      // One that `cas` does not know is newer than it, and was made ready meanwhile.
      if (cas.byId(id) !== undefined && !live.some((ca) => ca.id === id)) this.byIssuer.delete(id);
    }
  }

  private async fresh(ca: SigningCa): Promise<ResponderRow> {
    const { store } = this.parts;
    const row = await newestResponder(store, ca.id);
    if (row !== undefined && !this.isDue(row, ca)) return row;
    return store.withLock(`responder-${ca.id}`, async () => {
      const other = await newestResponder(store, ca.id);
      return other !== undefined && !this.isDue(other, ca) ? other : this.create(ca);
    });
  }

  /** Past half of its life; one that ends with its issuer stays. */
  private isDue(row: ResponderRow, ca: SigningCa): boolean {
    const halfway = row.not_after.getTime() - lifeMs / 2;
    return this.parts.clock.now().getTime() >= halfway && row.not_after < ca.info.notAfter;
  }

  private async create(ca: SigningCa): Promise<ResponderRow> {
    const { settings, store, safe, clock } = this.parts;
    const now = clock.now();
    const isRsa = ca.issuer.privateKey.asymmetricKeyType === 'rsa';
    const keys = await generateKeys(isRsa ? 'RSA-2048' : 'ECDSA-P256');
    const notAfter = new Date(Math.min(now.getTime() + lifeMs, ca.info.notAfter.getTime()));
    const cert = certificate({
      serial: newSerial(),
      issuer: ca.issuer,
      subject: [{ type: 'commonName', value: `${settings.organization} OCSP Responder` }],
      publicKey: keys.publicKey,
      notBefore: new Date(now.getTime() - backdateMs),
      notAfter,
      extensions: responderExtensions({ issuer: ca.issuer, publicKey: keys.publicKey }),
    });
    const key = safe.seal(keys.privateKey, 'responder');
    const row: ResponderRow = {
      id: newId(clock),
      issuer_id: ca.id,
      cert,
      key_id: key.id,
      not_after: readCertificate(cert).notAfter,
      created_at: now,
    };
    await store.transaction(async (tx) => {
      await safe.insert(tx, [key]);
      await insertResponder(tx, row);
    });
    return row;
  }

  private async load(row: ResponderRow): Promise<OcspResponder> {
    const known = this.byIssuer.get(row.issuer_id);
    if (known?.certificate.equals(row.cert)) return known;
    const key: KeyObject | null = await this.parts.safe.openKey(row.key_id);
    if (key === null) throw new Error(`the key of responder ${row.id} is gone`);
    return {
      privateKey: key,
      certificate: row.cert,
      keyId: keyIdOf(readCertificate(row.cert).spki),
    };
  }
}
