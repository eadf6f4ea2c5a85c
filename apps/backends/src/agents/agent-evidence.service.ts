import type { ClientMessage } from '@glacis/grpc';
import { LOGGER, type Logger } from '@glacis/observability';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { storable } from '../runs/relayed-event.js';
import type { LiveStream } from '../streams/live-stream.js';
import { evidenceOf, saveEvidence, type Evidence, type EvidenceKind } from './agents.store.js';

type Report = Extract<ClientMessage, { kind: 'vtpmEvidence' | 'azureEvidence' }>;

const kinds: Record<Report['kind'], EvidenceKind> = {
  vtpmEvidence: 'vtpm',
  azureEvidence: 'azure',
};

const MAX_SERIAL = 64;

/**
 * The evidence that agents send unasked (`backends.md` 9). It is kept and shown, and proves nothing: no nonce of ours is
 * in it, and nobody has verified it.
 */
@Injectable()
export class AgentEvidence {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  of(backendId: string): Promise<Evidence[]> {
    return evidenceOf(this.store, backendId);
  }

  async heard(stream: LiveStream, { kind, value }: Report, bytes: number): Promise<void> {
    stream.hold(bytes);
    try {
      await saveEvidence(this.store, stream.facts, {
        kind: kinds[kind],
        file: value.file,
        claimedSerial: storable(value.certSerialNumber).slice(0, MAX_SERIAL),
        serial: stream.facts.serial,
        receivedAt: stream.lastHeard,
      });
    } catch (error) {
      this.logger.warn({ err: error, backend: stream.facts.backendId }, 'evidence not kept');
    } finally {
      stream.release(bytes);
    }
  }
}
