import type { EventData } from '@glacis/contracts';
import type { DialectName } from '@glacis/grpc';

/** What never changes while a stream is open. */
export interface StreamFacts {
  backendId: string;
  tenant: string;
  streamId: string;
  /** Counts the streams of the backend: of two the one with the higher epoch is the stream. */
  epoch: number;
  serial: string;
  issuerId: string;
  /** End of the certificate, and so of the stream. */
  notAfter: Date;
  /** `glacis-manager-instance`: tells a manager that comes back from another one. */
  instance: string | null;
  /** `address:port`. */
  peer: string;
  openedAt: Date;
}

/** A stream that is to be opened. */
export interface StreamOpening extends Omit<StreamFacts, 'epoch'> {
  dialect: DialectName;
  ambiguous: boolean;
  version: string | null;
}

export type DisconnectReason = EventData<'backend.disconnected'>['reason'];

/** A stream that has ended. */
export interface StreamClosing {
  backendId: string;
  tenant: string;
  streamId: string;
  serial: string;
  reason: DisconnectReason;
  openedAt: Date;
  closedAt: Date;
  /** When Terminate was written to the client; null when it was not. */
  deliveredAt: Date | null;
}
