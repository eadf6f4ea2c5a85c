import type { Audit } from '@glacis/identity';
import type { Logger } from '@glacis/observability';
import type { Clock } from '@glacis/runtime';
import type { Store, Tx } from '@glacis/store';
import type { KeySafe } from '../keys/key-safe.js';
import { caKeyOffline, rotationUnderWay } from '../problems.js';
import type { Revoker } from '../revocation/revocation.service.js';
import type { CertificatesSettings } from '../settings.js';
import type { Authority } from './authority.js';
import type { CaSet } from './ca-set.js';
import { canSign, type Ca } from './issuer.entity.js';
import { insertIssuer, issuersInUse, makeCurrent, setState } from './issuers.store.js';
import { makeCross, makeIntermediate, makeRoot, type MadeCa, type RootSigner } from './make-ca.js';
import {
  dueRotation,
  endable,
  leastOverlapMs,
  promotable,
  type RotationKind,
  type RotationTerms,
} from './rotation-rules.js';
import type { StatusUrls } from './status-urls.js';

export interface RotationParts {
  settings: CertificatesSettings;
  store: Store;
  safe: KeySafe;
  authority: Authority;
  audit: Audit;
  urls: StatusUrls | undefined;
  clock: Clock;
  logger: Logger;
}

export interface RotationOrder {
  kind: RotationKind;
  overlapMs: number;
  by: Revoker;
}

const itself: Revoker = { actor: 'certificates' };

/**
 * Makes the CAs: the first ones, the next ones when they are due or ordered, and takes old ones out of service
 * (`certificates.md` 5). Next ones are published at least a day before they sign.
 */
export class Rotation {
  constructor(private readonly parts: RotationParts) {}

  /** Whatever is due by itself. On an empty database it makes the CA, so that only one replica does. */
  async check(): Promise<void> {
    const { authority } = this.parts;
    await this.alone(async () => {
      await this.endOld(await authority.read());
      await this.promote(await authority.read());
      await this.makeDue(await authority.read());
    });
    await authority.refresh();
  }

  /**
   * The next CA by order of an administrator.
   * @throws Problem `rotation-under-way`, `ca-key-offline`
   */
  async order({ kind, overlapMs, by }: RotationOrder): Promise<MadeCa[]> {
    const { authority, store, clock } = this.parts;
    const made = await this.alone(async () => {
      const cas = await authority.read();
      if (cas.intermediates().some(({ state }) => state === 'pending')) throw rotationUnderWay();
      const next = await this.make(cas, kind);
      const signsFrom = new Date(clock.now().getTime() + overlapMs);
      await store.transaction((tx) => this.install(tx, next, { signsFrom, by }));
      return next;
    });
    await authority.refresh();
    return made;
  }

  /** One change of the CAs at a time, over all replicas. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.parts.store.withLock('ca', work);
  }

  /**
   * Makes CAs that are not stored yet.
   * @throws Problem `ca-key-offline`
   */
  async make(cas: CaSet, kind: RotationKind): Promise<MadeCa[]> {
    if (kind === 'root') return this.makeRootAndBelow(cas);
    const root = cas.currentRoot();
    if (root === undefined || !canSign(root)) throw caKeyOffline();
    return [await makeIntermediate(signerOf(root), this.making(), numberOf(cas, 'intermediate'))];
  }

  /** Stores them: to sign from a time on, at once when it is not in the future. */
  async install(
    tx: Tx,
    made: readonly MadeCa[],
    { signsFrom, by }: { signsFrom: Date; by: Revoker },
  ): Promise<void> {
    const now = this.parts.clock.now();
    for (const ca of made) await this.insert(tx, ca, signsFrom);
    if (signsFrom <= now) {
      for (const { id, kind } of made) if (kind !== 'cross') await makeCurrent(tx, id);
    }
    for (const { id, kind } of made) {
      await this.parts.audit.record(tx, {
        actor: by.actor,
        tenant: null,
        action: 'ca.created',
        subject: id,
        requestId: by.requestId,
        detail: { kind, signs_from: signsFrom },
      });
    }
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

  private async makeDue(cas: CaSet): Promise<void> {
    const { settings, store, clock, logger } = this.parts;
    const now = clock.now();
    const kind = dueRotation(cas, termsOf(settings, now));
    if (kind === null) return;
    if (kind === 'intermediate' && cas.currentRoot()?.issuer === null) {
      logger.error('the key of the root is offline: a new intermediate must be brought in');
      return;
    }
    const isNeeded = !cas.intermediates().some(({ state }) => state === 'current');
    const signsFrom = isNeeded ? now : new Date(now.getTime() + leastOverlapMs);
    const made = await this.make(cas, kind);
    await store.transaction((tx) => this.install(tx, made, { signsFrom, by: itself }));
  }

  /** Cross certificates in both directions, as far as the keys are here and no path length forbids them. */
  private async makeRootAndBelow(cas: CaSet): Promise<MadeCa[]> {
    const root = await makeRoot(this.making(), numberOf(cas, 'root'));
    const next = await makeIntermediate(root.signer, this.making(), numberOf(cas, 'intermediate'));
    const old = cas.currentRoot();
    if (old === undefined) return [root, next];
    const crosses = [makeCross(old.info, root.signer, this.making())];
    if (canSign(old) && old.info.pathLength === null) {
      crosses.push(makeCross(root.subject, signerOf(old), this.making()));
    }
    return [root, next, ...crosses];
  }

  private async promote(cas: CaSet): Promise<void> {
    const next = promotable(cas, this.parts.clock.now());
    if (next === undefined) return;
    const root = cas.rootOf(next);
    await this.parts.store.transaction(async (tx) => {
      await makeCurrent(tx, next.id);
      if (root !== undefined) await makeCurrent(tx, root.id);
      await this.record(tx, 'ca.current', next);
    });
  }

  private async endOld(cas: CaSet): Promise<void> {
    const { store, clock } = this.parts;
    const retired = cas.intermediates().filter(({ state }) => state === 'retired');
    const ids = retired.map(({ id }) => id);
    const inUse = await issuersInUse(store, ids, clock.now());
    const ended = endable(cas, inUse);
    if (ended.length === 0) return;
    await store.transaction(async (tx) => {
      for (const ca of ended) {
        await setState(tx, ca.id, 'ended');
        await this.record(tx, 'ca.ended', ca);
      }
    });
  }

  private record(tx: Tx, action: string, { id, kind }: Ca): Promise<void> {
    const entry = { ...itself, tenant: null, action, subject: id, detail: { kind } };
    return this.parts.audit.record(tx, entry);
  }

  private making(): Parameters<typeof makeRoot>[0] {
    const { settings, urls, clock } = this.parts;
    return { settings, urls, now: clock.now() };
  }
}

const termsOf = (settings: CertificatesSettings, now: Date): RotationTerms => ({
  now,
  leafMs: settings.maxTtl,
  intermediateMs: settings.intermediateTtl,
});

const signerOf = ({ id, issuer, info }: Ca & { issuer: RootSigner['issuer'] }): RootSigner => ({
  id,
  issuer,
  notAfter: info.notAfter,
});

const numberOf = (cas: CaSet, kind: Ca['kind']): number =>
  cas.all.filter((ca) => ca.kind === kind).length + 1;
