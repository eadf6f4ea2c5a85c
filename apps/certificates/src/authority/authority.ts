import type { Audit } from '@glacis/identity';
import type { Store } from '@glacis/store';
import type { Clock } from '@glacis/runtime';
import type { KeySafe } from '../keys/key-safe.js';
import { caUnavailable } from '../problems.js';
import { statusUrlOf, type CertificatesSettings } from '../settings.js';
import { signingCa, type SigningCa } from './issuer.entity.js';
import { allIssuers, insertIssuer } from './issuers.store.js';
import { makeIntermediate, makeRoot, type MadeCa } from './make-ca.js';
import { statusUrls } from './status-urls.js';

export interface AuthorityParts {
  settings: CertificatesSettings;
  store: Store;
  safe: KeySafe;
  audit: Audit;
  clock: Clock;
}

/** The certificate authority: its root, its intermediates and their keys, which never leave this process. */
export class Authority {
  private constructor(
    private readonly cas: readonly SigningCa[],
    private readonly clock: Clock,
  ) {}

  /** Loads the CA; on an empty database creates it, under a lock so that only one replica does. */
  static async open(parts: AuthorityParts): Promise<Authority> {
    const { store } = parts;
    if ((await allIssuers(store)).length === 0) {
      await store.withLock('create-ca', async () => {
        if ((await allIssuers(store)).length === 0) await createCa(parts);
      });
    }
    return new Authority(await loadCas(parts), parts.clock);
  }

  /** What new certificates are signed with. @throws Problem `ca-unavailable` */
  current(): SigningCa {
    const ca = this.intermediates().at(-1);
    if (ca === undefined) throw caUnavailable('no intermediate is valid');
    return ca;
  }

  byId(id: string): SigningCa | undefined {
    return this.cas.find((ca) => ca.id === id);
  }

  roots(): SigningCa[] {
    return this.live('root');
  }

  /** Intermediates that have not ended, oldest first. */
  intermediates(): SigningCa[] {
    return this.live('intermediate');
  }

  /** Roots, then live intermediates: what a client trusts (`certificates.md` 3.2, `ca.pem`). */
  caPem(): string {
    return [...this.roots(), ...this.intermediates()].map((ca) => ca.pem).join('');
  }

  rootsPem(): string {
    return this.roots()
      .map((ca) => ca.pem)
      .join('');
  }

  /** Rises with every change of what `caPem` and `rootsPem` say. */
  version(): number {
    return this.cas.length;
  }

  private live(kind: SigningCa['kind']): SigningCa[] {
    const now = this.clock.now();
    return this.cas.filter((ca) => ca.kind === kind && ca.info.notAfter > now);
  }
}

async function createCa({ settings, store, safe, audit, clock }: AuthorityParts): Promise<void> {
  const now = clock.now();
  const making = { settings, urls: statusUrls(statusUrlOf(settings)), now };
  const root = await makeRoot(making);
  const intermediate = await makeIntermediate(root, making);
  await store.transaction(async (tx) => {
    for (const [kind, ca] of [
      ['root', root],
      ['intermediate', intermediate],
    ] as const) {
      const key = safe.seal(ca.keys.privateKey, 'issuer');
      await safe.insert(tx, [key]);
      await insertIssuer(tx, newIssuer(kind, ca, key.id, now));
    }
    await audit.record(tx, {
      actor: 'certificates',
      tenant: null,
      action: 'ca.created',
      subject: intermediate.id,
      detail: { root: root.id },
    });
  });
}

const newIssuer = (
  kind: 'root' | 'intermediate',
  ca: MadeCa,
  keyId: string,
  createdAt: Date,
): Parameters<typeof insertIssuer>[1] => ({
  id: ca.id,
  kind,
  der: ca.der,
  keyId,
  notAfter: ca.notAfter,
  createdAt,
});

async function loadCas({ store, safe }: AuthorityParts): Promise<SigningCa[]> {
  const rows = await allIssuers(store);
  return Promise.all(
    rows.map(async (row) => {
      const key = await safe.openKey(row.key_id);
      if (key === null) throw new Error(`the key of issuer ${row.id} is gone`);
      return signingCa(row, key);
    }),
  );
}
