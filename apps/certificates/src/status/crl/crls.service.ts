import { problems } from '@glacis/http';
import { crl } from '@glacis/pki';
import type { Clock } from '@glacis/runtime';
import type { Queryable, Store, Tx } from '@glacis/store';
import type { Authority } from '../../authority/authority.js';
import { canSign, type SigningCa } from '../../authority/issuer.entity.js';
import type { CertificatesMetrics } from '../../metrics.js';
import type { CertificatesSettings } from '../../settings.js';
import { Lru } from '../lru.js';
import {
  joinEntries,
  keepCrl,
  latestChange,
  scopeState,
  storedDer,
  type CrlScope,
  type ScopeState,
} from './crl.store.js';

export interface CrlsParts {
  settings: CertificatesSettings;
  store: Store;
  authority: Authority;
  metrics: CertificatesMetrics;
  clock: Clock;
}

export interface Crl {
  number: string;
  der: Buffer;
  thisUpdate: Date;
  nextUpdate: Date;
}

/** Clocks of clients run slow: what we state holds since a minute ago. */
const backdateMs = 60_000;
const heldInMemory = 32;

/**
 * The CRLs of all scopes. A revocation only stores its entry; the first read after it joins the entries and signs,
 * once for every replica, under a lock on the scope's row (`certificates.md` 7).
 */
export class Crls {
  private readonly memory = new Lru<string, Crl>(heldInMemory);
  private readonly building = new Map<string, Promise<Crl>>();

  constructor(private readonly parts: CrlsParts) {}

  /** @throws Problem `not-found` for a scope that does not exist */
  async get(scope: CrlScope): Promise<Crl> {
    const { store } = this.parts;
    const ca = this.parts.authority.cas.byId(scope.issuerId);
    const state = ca && (await scopeState(store, scope, { lock: false }));
    if (ca === undefined || state === undefined) throw problems.notFound('no such CRL');
    if (!canSign(ca)) return this.broughtIn(scope, state);
    if (await this.isDue(store, scope, state)) return this.build(ca, scope);
    return this.stored(scope, state);
  }

  private async isDue(db: Queryable, scope: CrlScope, state: ScopeState): Promise<boolean> {
    if (state.built_at === null) return true;
    const renewAt = state.built_at.getTime() + this.parts.settings.crlNextUpdate / 2;
    if (this.parts.clock.now().getTime() >= renewAt) return true;
    return (await latestChange(db, scope)) > BigInt(state.built_seq);
  }

  /** The CRL of an offline root, as it was imported. */
  private broughtIn(scope: CrlScope, state: ScopeState): Promise<Crl> {
    if (state.built_at === null)
      throw problems.notFound('the CRL of the offline CA was not brought in');
    return this.stored(scope, state);
  }

  /**
   * Equal numbers mean equal bytes, so bytes in memory serve for as long as their number stands; a list that was brought
   * in may have none, and then has its time.
   */
  private async stored(scope: CrlScope, state: ScopeState): Promise<Crl> {
    const known = this.memory.get(keyOf(scope));
    if (known?.number === state.number && sameTime(known.thisUpdate, state.this_update)) {
      return known;
    }
    const row = await storedDer(this.parts.store, scope);
    if (row === undefined || row.number !== state.number) return this.get(scope);
    return this.remember(scope, {
      ...row,
      thisUpdate: state.this_update ?? new Date(0),
      nextUpdate: state.next_update ?? new Date(0),
    });
  }

  /**
   * One build per scope at a time in this process. A build that was under way when we came may have read too early;
   * one that began while we waited for it has not.
   */
  private async build(ca: SigningCa, scope: CrlScope): Promise<Crl> {
    const key = keyOf(scope);
    await this.building.get(key)?.catch(() => undefined);
    const running = this.building.get(key);
    if (running !== undefined) return running;
    const build = this.buildOnce(ca, scope).finally(() => this.building.delete(key));
    this.building.set(key, build);
    return build;
  }

  private async buildOnce(ca: SigningCa, scope: CrlScope): Promise<Crl> {
    const began = performance.now();
    const built = await this.parts.store.transaction(async (tx) => {
      const state = await scopeState(tx, scope, { lock: true });
      if (state === undefined) throw problems.notFound('no such CRL');
      // Another replica was faster.
      if (!(await this.isDue(tx, scope, state))) return null;
      return this.sign(tx, ca, { scope, state });
    });
    if (built === null) return this.get(scope);
    this.parts.metrics.crlBuild.observe(
      { kind: kindOf(scope) },
      (performance.now() - began) / 1000,
    );
    return this.remember(scope, built);
  }

  private async sign(
    tx: Tx,
    ca: SigningCa,
    { scope, state }: { scope: CrlScope; state: ScopeState },
  ): Promise<Crl> {
    const now = this.parts.clock.now();
    const { entries, seq, revoked_at: lastRevoked } = await joinEntries(tx, scope, state.built_at);
    const number = maximum(BigInt(state.number) + 1n, BigInt(now.getTime()));
    const thisUpdate = wholeSecond(
      Math.max(now.getTime() - backdateMs, lastRevoked?.getTime() ?? 0),
    );
    const nextUpdate = wholeSecond(now.getTime() + this.parts.settings.crlNextUpdate);
    const der = crl({
      issuer: ca.issuer,
      entries: entries === null ? [] : [entries],
      number,
      thisUpdate,
      nextUpdate,
      scope: state.url === null ? undefined : { url: state.url },
    });
    await keepCrl(tx, scope, {
      number,
      der,
      seq: BigInt(seq ?? 0),
      builtAt: now,
      thisUpdate,
      nextUpdate,
    });
    return { number: number.toString(), der, thisUpdate, nextUpdate };
  }

  private remember(scope: CrlScope, made: Crl): Crl {
    this.memory.set(keyOf(scope), made);
    return made;
  }
}

const keyOf = ({ issuerId, scope }: CrlScope): string => `${issuerId} ${scope}`;
const kindOf = ({ scope }: CrlScope): string => (typeof scope === 'number' ? 'shard' : scope);
const sameTime = (a: Date, b: Date | null): boolean => a.getTime() === b?.getTime();
const maximum = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const wholeSecond = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);
