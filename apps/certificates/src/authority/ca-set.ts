import type { Clock } from '@glacis/runtime';
import { caUnavailable } from '../problems.js';
import { canSign, isUnder, type Ca, type IssuerState, type SigningCa } from './issuer.entity.js';

const trusted: readonly IssuerState[] = ['pending', 'current', 'retired'];

/** All CA certificates of ours at one moment, oldest first, and which of them is for what. */
export class CaSet {
  constructor(
    readonly all: readonly Ca[],
    private readonly clock: Clock,
  ) {}

  /** What new certificates are signed with. @throws Problem `ca-unavailable` */
  current(): SigningCa {
    const ca = this.intermediates().find(({ state }) => state === 'current');
    if (ca === undefined || !canSign(ca)) throw caUnavailable('no intermediate is valid');
    return ca;
  }

  byId(id: string): Ca | undefined {
    return this.all.find((ca) => ca.id === id);
  }

  /** Roots in service: what our own programs trust. */
  roots(): Ca[] {
    return this.trusted('root');
  }

  currentRoot(): Ca | undefined {
    return this.roots().find(({ state }) => state === 'current');
  }

  /** Intermediates that clients may meet: those of living leaves, the current one, and the next one. */
  intermediates(): Ca[] {
    return this.trusted('intermediate');
  }

  /** Intermediates that sign leaves now or soon. */
  signing(): SigningCa[] {
    return this.intermediates()
      .filter(canSign)
      .filter(({ state }) => state !== 'retired');
  }

  /** Intermediates whose leaves have a status to be told, revoked ones among them. */
  answering(): Ca[] {
    return this.live('intermediate');
  }

  rootOf(ca: Ca): Ca | undefined {
    return this.all.find((root) => root.kind === 'root' && isUnder(ca, root));
  }

  /**
   * What follows a leaf in its files: its intermediate and, while two roots are in service, the cross certificate by
   * which clients of the other root verify it.
   */
  chainOf(ca: Ca): Ca[] {
    const root = this.rootOf(ca);
    const others = this.roots().filter(({ id }) => id !== root?.id);
    const cross = this.live('cross').find(
      (each) =>
        root?.info.spki.equals(each.info.spki) && others.some((other) => isUnder(each, other)),
    );
    return cross === undefined ? [ca] : [ca, cross];
  }

  /** Cross certificates between roots in service. */
  crosses(): Ca[] {
    const roots = this.roots();
    return this.live('cross').filter((cross) => roots.some((root) => isUnder(cross, root)));
  }

  /** Roots, then live intermediates: what a client trusts (`certificates.md` 3.2, `ca.pem`). */
  caPem(): string {
    return pemOf([...this.roots(), ...this.intermediates()]);
  }

  rootsPem(): string {
    return pemOf(this.roots());
  }

  revokedIds(): string[] {
    return this.answering()
      .filter(({ state }) => state === 'revoked')
      .map(({ id }) => id);
  }

  /** Rises with every change of what `caPem`, `rootsPem` and `chainOf` say. */
  version(): number {
    const past = this.all.filter((ca) => !this.isLive(ca)).length;
    return this.all.reduce((sum, ca) => sum + ca.rowVersion, past);
  }

  private trusted(kind: Ca['kind']): Ca[] {
    return this.live(kind).filter(({ state }) => trusted.includes(state));
  }

  private live(kind: Ca['kind']): Ca[] {
    return this.all.filter((ca) => ca.kind === kind && this.isLive(ca));
  }

  private isLive(ca: Ca): boolean {
    return ca.info.notAfter > this.clock.now();
  }
}

const pemOf = (cas: readonly Ca[]): string => cas.map((ca) => ca.pem).join('');
