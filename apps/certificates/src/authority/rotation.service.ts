import type { Audit } from '@glacis/identity';
import type { Logger } from '@glacis/observability';
import type { Clock } from '@glacis/runtime';
import type { Store, Tx } from '@glacis/store';
import { caKeyOffline, rotationUnderWay } from '../problems.js';
import type { Revoker } from '../revocation/revocation.service.js';
import type { CertificatesSettings } from '../settings.js';
import type { Authority } from './authority.js';
import { numberOf, signerOf, type CaInstaller } from './ca-installer.js';
import type { CaSet } from './ca-set.js';
import type { CaImport } from './import/ca-import.service.js';
import { canSign, type Ca } from './issuer.entity.js';
import { issuersInUse, makeCurrent, setState } from './issuers.store.js';
import { makeRoot, type MadeCa } from './make-ca.js';
import {
  dueRotation,
  endable,
  overlapOf,
  promotable,
  type RotationKind,
} from './rotation-rules.js';

export interface RotationParts {
  settings: CertificatesSettings;
  store: Store;
  authority: Authority;
  installer: CaInstaller;
  caImport: CaImport;
  audit: Audit;
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

  /** Whatever is due by itself. On an empty database it brings in or makes the CA, so that only one replica does. */
  async check(): Promise<void> {
    const { authority, caImport } = this.parts;
    await this.alone(async () => {
      await this.endOld(await authority.read());
      await this.promote();
      await caImport.check(await authority.read());
      await this.makeDue(await authority.read());
    });
    await authority.refresh();
  }

  /**
   * The next CA by order of an administrator.
   * @throws Problem `rotation-under-way`, `ca-key-offline`
   */
  async order({ kind, overlapMs, by }: RotationOrder): Promise<MadeCa[]> {
    const { authority, clock } = this.parts;
    const made = await this.alone(async () => {
      const cas = await authority.read();
      if (cas.intermediates().some(({ state }) => state === 'pending')) throw rotationUnderWay();
      const next = await this.make(cas, kind);
      await this.install(next, new Date(clock.now().getTime() + overlapMs), by);
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
    const { installer } = this.parts;
    if (kind === 'root') {
      const root = await makeRoot(installer.making(), numberOf(cas, 'root'));
      const below = await installer.intermediate(cas, root.signer);
      return [root, below, ...installer.crosses(cas, root)];
    }
    const root = cas.currentRoot();
    if (root === undefined || !canSign(root)) throw caKeyOffline();
    return [await installer.intermediate(cas, signerOf(root))];
  }

  /** Lets the next intermediate sign, and its root with it, when its time has come or nobody else does. Within `alone`. */
  async promote(): Promise<void> {
    const { authority, store, clock } = this.parts;
    const cas = await authority.read();
    const next = promotable(cas, clock.now());
    if (next === undefined) return;
    const root = cas.rootOf(next);
    await store.transaction(async (tx) => {
      await makeCurrent(tx, next.id);
      if (root !== undefined) await makeCurrent(tx, root.id);
      await this.record(tx, 'ca.current', next);
    });
  }

  private install(made: MadeCa[], signsFrom: Date, by: Revoker): Promise<void> {
    const { store, installer } = this.parts;
    return store.transaction((tx) => installer.install(tx, made, { signsFrom, by }));
  }

  private async makeDue(cas: CaSet): Promise<void> {
    const { settings, clock, logger } = this.parts;
    const now = clock.now();
    const { maxTtl: leafMs, intermediateTtl: intermediateMs } = settings;
    const kind = dueRotation(cas, { now, leafMs, intermediateMs });
    if (kind === null) return;
    if (kind === 'intermediate' && cas.currentRoot()?.issuer === null) {
      logger.error('the key of the root is offline: a new intermediate must be brought in');
      return;
    }
    const isNeeded = !cas.intermediates().some(({ state }) => state === 'current');
    const overlapMs = isNeeded ? 0 : overlapOf(kind, cas.currentRoot());
    await this.install(await this.make(cas, kind), new Date(now.getTime() + overlapMs), itself);
  }

  private async endOld(cas: CaSet): Promise<void> {
    const { store, clock } = this.parts;
    const retired = cas.intermediates().filter(({ state }) => state === 'retired');
    const ids = retired.map(({ id }) => id);
    const ended = endable(cas, await issuersInUse(store, ids, clock.now()));
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
}
