import type { Outbox } from '@glacis/events';
import { problems } from '@glacis/http';
import type { Audit } from '@glacis/identity';
import { crlEntry } from '@glacis/pki';
import type { Clock } from '@glacis/runtime';
import type { Store, Tx } from '@glacis/store';
import { platformTenant } from '../issuing/service-issuing.service.js';
import { caCompromise } from '../revocation/reasons.js';
import { lockRevocations } from '../revocation/revocation.store.js';
import type { Revoker } from '../revocation/revocation.service.js';
import type { Authority } from './authority.js';
import type { CaInstaller } from './ca-installer.js';
import type { CaSet } from './ca-set.js';
import { canSign, type Ca } from './issuer.entity.js';
import { keepIssuerEntry, markIssuerRevoked } from './issuers.store.js';
import type { Rotation } from './rotation.service.js';
import type { MadeCa } from './make-ca.js';

export interface IssuerRevocationParts {
  store: Store;
  authority: Authority;
  rotation: Rotation;
  installer: CaInstaller;
  outbox: Outbox;
  audit: Audit;
  clock: Clock;
}

/**
 * The key of an intermediate is stolen (`certificates.md` 5): one transaction and one event take it and all its leaves
 * out of trust, and put another in its place.
 */
export class IssuerRevocation {
  constructor(private readonly parts: IssuerRevocationParts) {}

  /** @throws Problem `not-found` for an id that is no intermediate of ours; without effect when it is revoked already */
  async revoke(id: string, by: Revoker): Promise<void> {
    const { authority, rotation, store } = this.parts;
    await rotation.alone(async () => {
      const cas = await authority.read();
      const ca = cas.byId(id);
      if (ca?.kind !== 'intermediate') throw problems.notFound('no such intermediate');
      if (ca.state === 'revoked') return;
      const successor = await this.successorOf(ca, cas);
      await store.transaction((tx) =>
        this.replace(tx, { ca, root: cas.rootOf(ca), successor, by }),
      );
      // Below an offline root none can be made; one that was brought in and waits signs at once.
      await rotation.promote();
    });
    await authority.refresh();
  }

  /** What signs from now on: none when another signs already, or when the root's key is offline. */
  private async successorOf(ca: Ca, cas: CaSet): Promise<MadeCa[]> {
    const root = cas.currentRoot();
    if (ca.state !== 'current' || root === undefined || !canSign(root)) return [];
    return this.parts.rotation.make(cas, 'intermediate');
  }

  private async replace(
    tx: Tx,
    change: { ca: Ca; root: Ca | undefined; successor: readonly MadeCa[]; by: Revoker },
  ): Promise<void> {
    const { ca, root, successor, by } = change;
    const { clock, outbox, audit, installer } = this.parts;
    const revokedAt = clock.now();
    await lockRevocations(tx);
    const sequence = await markIssuerRevoked(tx, ca.id, caCompromise, revokedAt);
    if (root !== undefined) {
      const entry = crlEntry({ serial: ca.info.serial, revokedAt, reason: caCompromise });
      await keepIssuerEntry(tx, root.id, { ca, entry, revokedAt, sequence });
    }
    await installer.install(tx, successor, { signsFrom: revokedAt, by });
    await outbox.add(tx, {
      type: 'issuer.revoked',
      subject: ca.id,
      tenant: platformTenant,
      traceparent: by.traceparent,
      data: {
        issuer_id: ca.id,
        reason: caCompromise,
        revoked_at: revokedAt.toISOString(),
        sequence: Number(sequence),
      },
    });
    await audit.record(tx, {
      actor: by.actor,
      tenant: null,
      action: 'ca.revoke',
      subject: ca.id,
      requestId: by.requestId,
      detail: { reason: 'cACompromise', successor: successor.map(({ id }) => id) },
    });
  }
}
