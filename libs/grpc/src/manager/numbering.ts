import type { Dialect } from './dialect.js';
import {
  UndecodableMessageError,
  UnsupportedMessageError,
  type ClientMessage,
  type ComputationRun,
  type ServerMessage,
} from './messages.js';
import { runToChunks } from './run-chunks.js';
import type { RunExtra } from './run-extras.js';
import { fromBytes, toBytes, type MessageType } from './wire.js';

type Cases<K extends string> = Partial<Record<K, string>>;

/** A generated stream message, seen as what all dialects have in common. */
type StreamMessage = MessageType<{ message: { $case: string; value: unknown } | undefined }>;

/** What tells one dialect from another. */
export interface Numbering {
  /** Generated types: the messages of both directions and the run request. */
  client: unknown;
  server: unknown;
  run: unknown;
  /** Our kind of message to the member of the dialect's oneof; absent kinds do not exist in it. */
  clientCases: Cases<ClientMessage['kind']>;
  serverCases: Cases<ServerMessage['kind']>;
  takesRuns: Dialect['takesRuns'];
  runExtras?: readonly RunExtra[];
  /** Where the run request differs from that of `v0.3`. */
  toRun?: (run: ComputationRun) => unknown;
  fromRun?: (run: never) => ComputationRun;
  decodeClient: Dialect['decodeClient'];
}

export function dialect(name: Dialect['name'], numbering: Numbering): Dialect {
  const { clientCases, serverCases, toRun, fromRun, decodeClient } = numbering;
  const client = numbering.client as StreamMessage;
  const server = numbering.server as StreamMessage;
  const runRequest = numbering.run as MessageType<unknown>;
  const serverKinds = new Map(Object.entries(serverCases).map(([kind, member]) => [member, kind]));
  const encode = (
    type: StreamMessage,
    cases: Cases<string>,
    { kind, value }: { kind: string; value: unknown },
  ): Buffer => {
    const $case = cases[kind];
    if ($case === undefined) throw new UnsupportedMessageError(name, kind);
    return toBytes(type, { message: { $case, value } });
  };
  const formOf = (run: ComputationRun): unknown => (toRun ? toRun(run) : run);
  const runOf = (form: unknown): ComputationRun =>
    fromRun ? fromRun(form as never) : (form as ComputationRun);
  const encodeServer = (message: ServerMessage): Buffer => {
    const value = message.kind === 'run' ? formOf(message.value) : message.value;
    return encode(server, serverCases, { kind: message.kind, value });
  };
  return {
    name,
    sends: new Set(Object.keys(serverCases) as ServerMessage['kind'][]),
    answers: new Set(Object.keys(clientCases) as ClientMessage['kind'][]),
    takesRuns: numbering.takesRuns,
    runExtras: new Set(numbering.runExtras),
    encodeServer,
    encodeRun: (run) =>
      serverCases.runChunk === undefined
        ? [encodeServer({ kind: 'run', value: run })]
        : runToChunks(run.id, toBytes(runRequest, formOf(run))).map((value) =>
            encodeServer({ kind: 'runChunk', value }),
          ),
    decodeRun: (bytes) => runOf(fromBytes(runRequest, bytes)),
    decodeServer: (bytes) => {
      const { message } = fromBytes(server, bytes);
      if (message === undefined) return undefined;
      const kind = serverKinds.get(message.$case);
      return {
        kind,
        value: kind === 'run' ? runOf(message.value) : message.value,
      } as ServerMessage;
    },
    encodeClient: (message) => encode(client, clientCases, message),
    decodeClient,
  };
}

/** Reads client messages by a type whose members are the union of those of several dialects. */
export function clientDecoder(
  type: unknown,
  cases: Cases<ClientMessage['kind']>,
): Dialect['decodeClient'] {
  const kinds = new Map(Object.entries(cases).map(([kind, member]) => [member, kind]));
  return (bytes) => {
    const { message } = fromBytes(type as StreamMessage, bytes);
    if (message === undefined) return undefined;
    if (holdsNoTime(message.value)) throw new UndecodableMessageError();
    return { kind: kinds.get(message.$case), value: message.value } as ClientMessage;
  };
}

/** True of a timestamp beyond what a Date can hold. */
function holdsNoTime(value: unknown): boolean {
  const { timestamp } = value as { timestamp?: Date };
  return timestamp !== undefined && Number.isNaN(timestamp.getTime());
}
