import type { Audit } from '@glacis/identity';
import type { Clock } from '@glacis/runtime';
import type { Tx } from '@glacis/store';
import type { KeySafe } from '../keys/key-safe.js';
import type { Revoker } from '../revocation/revocation.service.js';
import type { CertificatesSettings } from '../settings.js';
import type { CaSet } from './ca-set.js';
import { canSign, type Ca } from './issuer.entity.js';
import { insertIssuer, makeCurrent } from './issuers.store.js';
import {
  makeCross,
  makeIntermediate,
  type CrossSubject,
  type MadeCa,
  type Making,
  type RootSigner,
} from './make-ca.js';
import type { StatusUrls } from './status-urls.js';

export interface CaInstallerParts {
  settings: CertificatesSettings;
  safe: KeySafe;
  audit: Audit;
  urls: StatusUrls | undefined;
  clock: Clock;
}

/** A root that is not stored yet. */
export interface NextRoot {
  subject: CrossSubject;
  /** Null: its key is offline. */
  signer: RootSigner | null;
}

export interface Installation {
  /** At once when it is not in the future. */
  signsFrom: Date;
  by: Revoker;
}

/** Signs CA certificates and stores them with their keys. */
export class CaInstaller {
  constructor(private readonly parts: CaInstallerParts) {}

  /** Key and certificate of the next intermediate below a root. */
  intermediate(cas: CaSet, root: RootSigner): Promise<MadeCa> {
    return makeIntermediate(root, this.making(), numberOf(cas, 'intermediate'));
  }

  /**
   * Cross certificates between the current root and the next one, in both directions, as far as the keys are here. A path
   * length of the old root forbids the one that clients of the old root need: both roots must reach them before the next
   * one signs.
   */
  crosses(cas: CaSet, { subject, signer }: NextRoot): MadeCa[] {
    const old = cas.currentRoot();
    if (old === undefined) return [];
    const crosses = signer === null ? [] : [makeCross(old.info, signer, this.making())];
    if (canSign(old) && old.info.pathLength === null) {
      crosses.push(makeCross(subject, signerOf(old), this.making()));
    }
    return crosses;
  }

  async install(tx: Tx, made: readonly MadeCa[], { signsFrom, by }: Installation): Promise<void> {
    if (made.length === 0) return;
    for (const ca of made) await this.insert(tx, ca, signsFrom);
    if (signsFrom <= this.parts.clock.now()) {
      for (const { id, kind } of made) if (kind !== 'cross') await makeCurrent(tx, id);
    }
    await this.parts.audit.recordAll(
      tx,
      made.map(({ id, kind }) => ({
        actor: by.actor,
        tenant: null,
        action: 'ca.created',
        subject: id,
        requestId: by.requestId,
        detail: { kind, signs_from: signsFrom },
      })),
    );
  }

  making(): Making {
    const { settings, urls, clock } = this.parts;
    return { settings, urls, now: clock.now() };
  }

  private async insert(tx: Tx, ca: MadeCa, signsFrom: Date): Promise<void> {
    const { safe, clock } = this.parts;
    const key = ca.privateKey && safe.seal(ca.privateKey, 'issuer');
    if (key !== null) await safe.insert(tx, [key]);
    await insertIssuer(tx, {
      ...ca,
      state: ca.kind === 'cross' ? 'current' : 'pending',
      keyId: key?.id ?? null,
      signsFrom,
      createdAt: clock.now(),
    });
  }
}

export const signerOf = ({
  id,
  issuer,
  info,
}: Ca & { issuer: RootSigner['issuer'] }): RootSigner => ({
  id,
  issuer,
  notAfter: info.notAfter,
});

/** CAs of a kind are counted in their names. */
export const numberOf = (cas: CaSet, kind: Ca['kind']): number =>
  cas.all.filter((ca) => ca.kind === kind).length + 1;
