import { isIP } from 'node:net';
import { coalesce, type Clock } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import { covers, spaceOf, type NameSpace } from './name-space.js';
import { policiesOver, serviceNames } from './policies.store.js';

export interface ClaimsQuestion {
  tenant: string;
  /** In canonical form. */
  names: readonly string[];
}

/** Who else has a claim on the names asked about. */
export interface NameClaims {
  /** A live certificate of one of our own services carries the name. */
  ofServices: (name: string) => boolean;
  /** The policy of another tenant grants the name. */
  ofOthers: (name: string) => boolean;
}

/** Reads claims on names; concurrent questions share their queries. */
export class NameClaimsReader {
  /** @returns who else has a claim on the names, at the moment of the call or later */
  readonly read = coalesce<ClaimsQuestion, NameClaims>((questions) => this.readAll(questions), {
    concurrency: 2,
  });

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
  ) {}

  private async readAll(questions: ClaimsQuestion[]): Promise<NameClaims[]> {
    const names = [...new Set(questions.flatMap((question) => question.names))];
    const services = new Set(await serviceNames(this.store, this.clock.now(), names));
    const policies = await policiesOver(this.store, {
      suffixes: names.filter((name) => isIP(name) === 0).flatMap(suffixesOf),
      addresses: names.filter((name) => isIP(name) !== 0),
    });
    const spaces = policies.map((policy): [string, NameSpace] => [
      policy.tenant_id,
      spaceOf(policy.dns_suffixes, policy.cidrs),
    ]);
    return questions.map(({ tenant }) => ({
      ofServices: (name) => services.has(name),
      ofOthers: (name) => spaces.some(([owner, space]) => owner !== tenant && covers(space, name)),
    }));
  }
}

/** `a.b.c` lies below the suffixes `a.b.c`, `b.c` and `c`. */
function suffixesOf(name: string): string[] {
  const labels = name.split('.');
  return labels.map((_, i) => labels.slice(i).join('.'));
}
