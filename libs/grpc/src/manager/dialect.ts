import type {
  AgentDialectName,
  ClientMessage,
  ComputationRun,
  DialectName,
  ServerMessage,
  ServerMessageKind,
} from './messages.js';
import type { RunExtra } from './run-extras.js';

/** One numbering of a stream, of managers (`backends.md` 4.4) or agents (9): the bytes of both directions. */
export interface Dialect {
  readonly name: DialectName | AgentDialectName;
  /** What a server may send in this dialect. */
  readonly sends: ReadonlySet<ServerMessageKind>;
  /** What a client may send in this dialect. */
  readonly answers: ReadonlySet<ClientMessage['kind']>;
  /**
   * How its clients take runs: any number at once, one at a time, reading nothing until it has started, or one in the
   * life of a stream.
   */
  readonly takesRuns: 'together' | 'one by one' | 'once';
  /** What its run request has beside the members of `v0.3`. */
  readonly runExtras: ReadonlySet<RunExtra>;
  /** @throws {UnsupportedMessageError} when the kind is not in `sends`. */
  encodeServer(message: ServerMessage): Buffer;
  /** A run as the dialect wants it: one message, or pieces that end with an empty one; send them back to back. */
  encodeRun(run: ComputationRun): Buffer[];
  /** The reverse of what `encodeRun` cuts into pieces. @throws {UndecodableMessageError} */
  decodeRun(bytes: Uint8Array): ComputationRun;
  /**
   * Undefined for a kind that this dialect does not know, as clients ignore it.
   * @throws {UndecodableMessageError}
   */
  decodeServer(bytes: Uint8Array): ServerMessage | undefined;
  /** @throws {UnsupportedMessageError} when the kind is not in `answers`. */
  encodeClient(message: ClientMessage): Buffer;
  /**
   * Reads what a client of this or a related dialect sent: the numbers of managers' dialects never clash, nor do those
   * of agents'. Undefined when no known member is set, which is to be counted and ignored. Texts may hold any
   * character, NUL as well.
   * @throws {UndecodableMessageError}
   */
  decodeClient(bytes: Uint8Array): ClientMessage | undefined;
}
