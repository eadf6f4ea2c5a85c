import type { NewEvent, Outbox } from '@glacis/events';
import type { Audit } from '@glacis/identity';
import type { Clock } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import type { CertificatesMetrics } from '../metrics.js';
import { countExpiring, markExpiring, type ExpiringRow } from './expiring.store.js';

export interface ExpiringParts {
  store: Store;
  outbox: Outbox;
  audit: Audit;
  metrics: CertificatesMetrics;
  clock: Clock;
}

const batch = 200;
const dayMs = 24 * 3_600_000;

/** Tells that certificates end soon (`certificates.md` 4), once per step over all replicas. */
export class Expiring {
  constructor(private readonly parts: ExpiringParts) {}

  async tell(): Promise<void> {
    const { store, metrics, clock } = this.parts;
    while ((await this.tellSome()) === batch) continue;
    for (const { days, count } of await countExpiring(store, clock.now())) {
      metrics.expiring.set({ days: String(days) }, count);
    }
  }

  private tellSome(): Promise<number> {
    const { store, outbox, audit, clock } = this.parts;
    const now = clock.now();
    return store.transaction(async (tx) => {
      const rows = await markExpiring(tx, now, batch);
      if (rows.length === 0) return 0;
      const events = rows.map((row) => expiringEvent(row, now));
      await outbox.add(tx, ...events);
      await audit.recordAll(
        tx,
        events.map(({ subject, tenant, data }) => ({
          actor: 'certificates',
          tenant,
          action: 'certificate.expiring',
          subject,
          detail: { ...data },
        })),
      );
      return rows.length;
    });
  }
}

function expiringEvent(row: ExpiringRow, now: Date): NewEvent<'certificate.expiring'> {
  return {
    type: 'certificate.expiring',
    subject: row.serial,
    tenant: row.tenant_id,
    data: {
      serial_number: row.serial,
      entity_type: row.entity_type,
      entity_id: row.entity_id,
      not_after: row.not_after.toISOString(),
      days_left: Math.ceil((row.not_after.getTime() - now.getTime()) / dayMs),
    },
  };
}
