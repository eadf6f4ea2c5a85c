import { LOGGER, type Logger } from '@glacis/observability';
import { Inject, Injectable } from '@nestjs/common';
import { Journal } from '../journal.js';
import type { PresentedCertificate, Refusal, RefusalReason } from './admission.js';
import { StreamMetrics } from './metrics.js';
import { RefusedClients } from './refused-clients.js';
import type { RefusalCount } from './refusals.js';

/** Refusals that say nothing about the certificate: who comes back after them does no wrong. */
const blameless: ReadonlySet<RefusalReason> = new Set([
  'status_unavailable',
  'shutting_down',
  'reconnect_limit',
]);

/** Why a client was dropped right after its handshake. */
export type DropReason = 'refused_set' | 'not_valid_now';

interface Entry {
  address: string;
  result: RefusalReason | DropReason;
  tenant: string | null;
  /** The refusal that made the client blocked. */
  blockedUntil?: Date | null;
}

/** Counts who was admitted, and remembers who was refused and why. */
@Injectable()
export class AdmissionLog {
  constructor(
    @Inject(Journal) private readonly journal: Journal,
    @Inject(RefusedClients) private readonly clients: RefusedClients,
    @Inject(StreamMetrics) private readonly metrics: StreamMetrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  admitted(): void {
    this.metrics.opens.inc({ result: 'admitted' });
  }

  /** Only counted: it must cost nothing. */
  turnedAway(reason: RefusalReason): void {
    this.metrics.opens.inc({ result: reason });
  }

  /** Never fails: the refusal stands whether it can be recorded or not. */
  async refused(
    presented: PresentedCertificate,
    address: string,
    { reason, tenant }: Refusal,
  ): Promise<void> {
    this.metrics.opens.inc({ result: reason });
    if (reason === 'client_gone') return;
    if (reason === 'reconnect_limit') this.metrics.refusals.inc({ reason });
    const { serial } = presented;
    const count = blameless.has(reason) ? undefined : await this.clients.note({ serial, address });
    await this.audit(presented, { address, result: reason, tenant, ...blockIn(count) });
  }

  /** The same of a client that was dropped; of many drops in a row only the first and each new block are told. */
  async dropped(
    presented: PresentedCertificate,
    address: string,
    result: DropReason,
  ): Promise<void> {
    const count = await this.clients.note({ serial: presented.serial, address });
    if (count === undefined || (count.count !== 1 && !isNewBlock(count))) return;
    await this.audit(presented, { address, result, tenant: null, ...blockIn(count) });
  }

  private async audit(
    presented: PresentedCertificate,
    { tenant, result, address, blockedUntil }: Entry,
  ): Promise<void> {
    const entry = {
      actor: `certificate:${presented.serial}`,
      tenant,
      action: 'stream.open',
      subject: presented.serial,
      detail: {
        result,
        issuer_id: presented.issuerId,
        address,
        ...(blockedUntil && { blocked_until: blockedUntil.toISOString() }),
      },
    };
    try {
      await this.journal.note({ audit: [entry] });
    } catch (error) {
      this.logger.warn({ err: error, ...entry.detail }, 'refusal not audited');
    }
  }
}

function blockIn(count: RefusalCount | undefined): Pick<Entry, 'blockedUntil'> {
  return count && isNewBlock(count) ? { blockedUntil: count.blockedUntil } : {};
}

function isNewBlock({ count, blockedUntil }: RefusalCount): boolean {
  return count === 0 && blockedUntil !== null;
}
