import type { Clock } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import type { KeySafe } from '../keys/key-safe.js';
import { CaSet } from './ca-set.js';
import { caOf, type Ca, type IssuerRow } from './issuer.entity.js';
import { allIssuers } from './issuers.store.js';

export interface AuthorityParts {
  store: Store;
  safe: KeySafe;
  clock: Clock;
}

/** Runs before new CAs are used, while the old ones still serve. */
export type BeforeUse = (next: CaSet) => Promise<void>;

/** The certificate authority as the database has it; its keys never leave this process. */
export class Authority {
  cas: CaSet;
  private readonly preparations: BeforeUse[] = [];

  constructor(private readonly parts: AuthorityParts) {
    this.cas = new CaSet([], parts.clock);
  }

  /** Has something made ready for new CAs before they are used. */
  beforeUse(prepare: BeforeUse): void {
    this.preparations.push(prepare);
  }

  /** Takes in what any replica has changed. */
  async refresh(): Promise<void> {
    const next = await this.read();
    if (next.version() <= this.cas.version()) return;
    for (const prepare of this.preparations) await prepare(next);
    // Another refresh may have been faster with something newer.
    if (next.version() > this.cas.version()) this.cas = next;
  }

  /** The CAs as they are at this moment in the database. @throws when the key of one cannot be opened */
  async read(): Promise<CaSet> {
    const rows = await allIssuers(this.parts.store);
    const cas = await Promise.all(rows.map((row) => this.load(row)));
    return new CaSet(cas, this.parts.clock);
  }

  private async load(row: IssuerRow): Promise<Ca> {
    const known = this.cas.byId(row.id);
    if (known?.rowVersion === row.row_version) return known;
    if (row.key_id === null) return caOf(row, null);
    const key = known?.issuer?.privateKey ?? (await this.parts.safe.openKey(row.key_id));
    if (key === null) throw new Error(`the key of issuer ${row.id} is gone`);
    return caOf(row, key);
  }
}
