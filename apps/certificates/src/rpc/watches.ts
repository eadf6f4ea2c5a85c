import type { RevocationNews, TrustBundle } from '@glacis/contracts';
import { RpcError, status } from '@glacis/grpc';
import { Bell } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import type { Authority } from '../authority/authority.js';
import { revocationsAfter, type SequencedRevocation } from '../revocation/revocation.store.js';

export interface WatchesParts {
  store: Store;
  authority: Authority;
}

/** Watches open at once, of all replicas of all services. */
const maxWatches = 256;
/** Revocations of one read. */
const batch = 1_000;
/** Milliseconds between two looks for what nobody has rung for. */
const pollMs = 1_000;
/** Milliseconds without news after which a watcher is told that there is none. */
const lifeSignMs = 3_000;

/** What other services watch: read from the database for each of them, so that it is the same on every replica. */
export class Watches {
  private readonly bell = new Bell();
  private open = 0;

  constructor(private readonly parts: WatchesParts) {}

  /** Something was revoked, here or by another replica. */
  ring(): void {
    this.bell.ring();
  }

  async *revocations(after: number, signal: AbortSignal): AsyncGenerator<RevocationNews, void> {
    let last = after;
    let toldAt = performance.now();
    for await (const _ of this.looks(signal)) {
      let rows: SequencedRevocation[];
      do {
        rows = await revocationsAfter(this.parts.store, last, batch);
        for (const row of rows) yield newsOf(row);
        last = Number(rows.at(-1)?.revocation_seq ?? last);
        if (rows.length > 0) toldAt = performance.now();
      } while (rows.length === batch && !signal.aborted);
      if (performance.now() - toldAt < lifeSignMs) continue;
      yield { sequence: last };
      toldAt = performance.now();
    }
  }

  async *trust(signal: AbortSignal): AsyncGenerator<TrustBundle, void> {
    let told = '';
    for await (const _ of this.looks(signal)) {
      const bundle = this.bundle();
      const text = JSON.stringify(bundle);
      if (text !== told) yield bundle;
      told = text;
    }
  }

  /** One turn at once, then one at each ring or poll, until the signal. */
  private async *looks(signal: AbortSignal): AsyncGenerator<void, void> {
    if (this.open >= maxWatches) {
      throw new RpcError(status.RESOURCE_EXHAUSTED, 'rate-limited', 'too many watches are open');
    }
    this.open += 1;
    try {
      while (!signal.aborted) {
        const { count } = this.bell;
        yield;
        await this.bell.after(count, pollMs, signal);
      }
    } finally {
      this.open -= 1;
    }
  }

  private bundle(): TrustBundle {
    const { cas } = this.parts.authority;
    return {
      caPem: cas.caPem(),
      rootsPem: cas.rootsPem(),
      version: cas.version(),
      revokedIssuerIds: cas.revokedIds(),
    };
  }
}

function newsOf(row: SequencedRevocation): RevocationNews {
  const sequence = Number(row.revocation_seq);
  return {
    sequence,
    revocation: {
      sequence,
      serialNumber: row.serial ?? undefined,
      entityId: row.entity_id ?? undefined,
      revokedAt: row.revoked_at,
      reason: row.revocation_reason,
      issuerId: row.issuer_id,
    },
  };
}
