import type { EventData } from '@glacis/contracts';
import type { AnyDialectName } from './stream-family.js';

/**
 * Which of its streams a client opens: its own, or that of the log forwarder beside an agent, which only tells
 * (`backends.md` 9).
 */
export type ConnectionType = 'main' | 'log-forwarder';

/** What a stream takes the place in: of two for one slot the newer is the stream. */
export interface Slot {
  backendId: string;
  connection: ConnectionType;
}

/** What never changes while a stream is open. */
export interface StreamFacts extends Slot {
  tenant: string;
  streamId: string;
  /** Counts the streams of the backend: of two the one with the higher epoch is the stream. */
  epoch: number;
  serial: string;
  issuerId: string;
  /** End of the certificate, and so of the stream. */
  notAfter: Date;
  /** `glacis-manager-instance` or, of an agent, its VM: tells a client that comes back from another one. */
  instance: string | null;
  /** `address:port`. */
  peer: string;
  openedAt: Date;
}

/** A stream that is to be opened. */
export interface StreamOpening extends Omit<StreamFacts, 'epoch'> {
  dialect: AnyDialectName;
  ambiguous: boolean;
  version: string | null;
}

export type DisconnectReason = EventData<'backend.disconnected'>['reason'];

/** A stream that has ended. */
export interface StreamClosing extends Slot {
  tenant: string;
  streamId: string;
  serial: string;
  reason: DisconnectReason;
  openedAt: Date;
  closedAt: Date;
  /** When Terminate was written to the client; null when it was not. */
  deliveredAt: Date | null;
}

/** One slot as a key of maps. */
export function slotKey({ backendId, connection }: Slot): string {
  return `${backendId} ${connection}`;
}

/** The type of a connection as events tell it: only of one beside the main one. */
export function connectionMember({ connection }: Slot): { connection_type?: 'log-forwarder' } {
  return connection === 'main' ? {} : { connection_type: connection };
}
