import type {
  ClientMessage,
  ComputationRun,
  DialectName,
  ServerMessage,
  ServerMessageKind,
} from './messages.js';

/** One numbering of the manager stream (`backends.md` 4.4): the bytes of both directions. */
export interface Dialect {
  readonly name: DialectName;
  /** What a server may send in this dialect. */
  readonly sends: ReadonlySet<ServerMessageKind>;
  /** What a manager may send in this dialect. */
  readonly answers: ReadonlySet<ClientMessage['kind']>;
  /** @throws {UnsupportedMessageError} when the kind is not in `sends`. */
  encodeServer(message: ServerMessage): Buffer;
  /** A run as the dialect wants it: one message, or pieces that end with an empty one; send them back to back. */
  encodeRun(run: ComputationRun): Buffer[];
  /**
   * Undefined for a kind that this dialect does not know, as managers ignore it.
   * @throws {UndecodableMessageError}
   */
  decodeServer(bytes: Uint8Array): ServerMessage | undefined;
  /** @throws {UnsupportedMessageError} when the kind is not in `answers`. */
  encodeClient(message: ClientMessage): Buffer;
}
