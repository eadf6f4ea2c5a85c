import fc from 'fast-check';
import { ManualClock } from '@glacis/runtime';
import { CaSet } from './ca-set.js';
import type { Ca, IssuerKind, IssuerState } from './issuer.entity.js';
import { dueRotation, endable, leastOverlapMs, promotable } from './rotation-rules.js';

const day = 24 * 3_600_000;
const terms = { leafMs: 365 * day, intermediateMs: 730 * day };
const rootMs = 3650 * day;

/** The CA of a service without keys and database: what the rules say is done at once. */
class Model {
  readonly clock = new ManualClock(new Date('2026-01-01T00:00:00Z'));
  readonly leaves: { issuer: string; until: Date }[] = [];
  private all: Ca[] = [];

  get cas(): CaSet {
    return new CaSet(this.all, this.clock);
  }

  /** As `Rotation.check`. */
  check(): void {
    const now = this.clock.now();
    const inUse = this.leaves.filter(({ until }) => until > now).map(({ issuer }) => issuer);
    for (const ca of endable(this.cas, new Set(inUse))) this.set(ca, 'ended');
    const next = promotable(this.cas, now);
    if (next !== undefined) this.promote(next);
    const kind = dueRotation(this.cas, { now, ...terms });
    if (kind === null) return;
    const isNeeded = !this.cas.intermediates().some(({ state }) => state === 'current');
    const signsFrom = new Date(now.getTime() + (isNeeded ? 0 : leastOverlapMs));
    const root = kind === 'root' ? this.make('root', rootMs, signsFrom) : this.cas.currentRoot()!;
    const made = this.make('intermediate', terms.intermediateMs, signsFrom, root);
    if (isNeeded) this.promote(made);
  }

  issue(ttlMs: number): void {
    const issuer = this.cas.intermediates().find(({ state }) => state === 'current')!;
    const end = Math.min(this.clock.now().getTime() + ttlMs, issuer.info.notAfter.getTime());
    this.leaves.push({ issuer: issuer.id, until: new Date(end) });
  }

  private promote(ca: Ca): void {
    for (const next of [ca, this.cas.rootOf(ca)!]) {
      const old = this.all.find(({ kind, state }) => kind === next.kind && state === 'current');
      if (old !== undefined && old.id !== next.id) this.set(old, 'retired');
      this.set(next, 'current');
    }
  }

  private set({ id }: Ca, state: IssuerState): void {
    this.all = this.all.map((ca) => (ca.id === id ? { ...ca, state } : ca));
  }

  private make(kind: IssuerKind, lifeMs: number, signsFrom: Date, root?: Ca): Ca {
    const now = this.clock.now();
    const name = Buffer.from(`${kind} ${this.all.length}`);
    const end = Math.min(now.getTime() + lifeMs, root?.info.notAfter.getTime() ?? Infinity);
    const ca = {
      id: name.toString(),
      kind,
      state: 'pending',
      signsFrom,
      revokedAt: null,
      rowVersion: 1,
      createdAt: now,
      der: name,
      pem: '',
      issuer: { subjectDer: name, keyId: name },
      info: {
        subjectDer: name,
        keyId: name,
        issuerDer: root?.der ?? name,
        authorityKeyId: root?.der ?? name,
        notBefore: now,
        notAfter: new Date(end),
      },
    } as unknown as Ca;
    this.all = [...this.all, ca];
    return ca;
  }
}

describe('rotation over decades', () => {
  it('keeps one intermediate that signs, publishes the next one a day before, and no leaf outlives what it needs', () => {
    const step = fc.record({
      hours: fc.integer({ min: 1, max: 24 * 200 }),
      ttlDays: fc.integer({ min: 1, max: 365 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => {
        const model = new Model();
        model.check();
        for (const { hours, ttlDays } of steps) {
          const before = model.cas.intermediates();
          model.clock.advance(hours * 3_600_000);
          model.check();
          const now = model.clock.now();
          const intermediates = model.cas.intermediates();
          const current = intermediates.filter(({ state }) => state === 'current');
          expect(current).toHaveLength(1);
          expect(model.cas.roots().filter(({ state }) => state === 'current')).toHaveLength(1);
          const pending = intermediates.filter(({ state }) => state === 'pending');
          expect(pending.length).toBeLessThanOrEqual(1);
          // Whoever signs now was published before, but for an emergency: none was left.
          const wasKnown = before.some(({ id }) => id === current[0]?.id);
          const wasEmpty = !before.some((ca) => ca.state === 'current' && ca.info.notAfter > now);
          expect(wasKnown || wasEmpty).toBe(true);
          for (const { issuer, until } of model.leaves) {
            if (until > now) expect(intermediates.map(({ id }) => id)).toContain(issuer);
          }
          model.issue(ttlDays * day);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('a leaf of the longest life gets all of it while the service is looked after', () => {
    const model = new Model();
    for (let i = 0; i < 20 * 365; i++) {
      model.clock.advance(day);
      model.check();
      const current = model.cas.intermediates().find(({ state }) => state === 'current')!;
      expect(current.info.notAfter.getTime() - model.clock.now().getTime()).toBeGreaterThan(
        terms.leafMs - 2 * day,
      );
    }
  });
});
