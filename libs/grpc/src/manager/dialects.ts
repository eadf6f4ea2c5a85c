import * as seed from '../generated/manager/seed/manager.js';
import * as v02 from '../generated/manager/v0.2/manager.js';
import * as v03 from '../generated/manager/v0.3/manager.js';
import * as v04 from '../generated/manager/v0.4/manager.js';
import type { Dialect } from './dialect.js';
import {
  UnsupportedMessageError,
  type ClientMessage,
  type ComputationRun,
  type DialectName,
  type ServerMessage,
} from './messages.js';
import { runToChunks } from './run-chunks.js';
import { fromSeedRun, fromV02Run, toSeedRun } from './run-forms.js';
import { fromBytes, toBytes, type MessageType } from './wire.js';

type Cases<K extends string> = Partial<Record<K, string>>;

/** A generated stream message, seen as what all dialects have in common. */
type StreamMessage = MessageType<{ message: { $case: string; value: unknown } | undefined }>;

interface Numbering {
  client: unknown;
  server: unknown;
  /** Our kind of message to the member of the dialect's oneof; absent kinds do not exist in it. */
  clientCases: Cases<ClientMessage['kind']>;
  serverCases: Cases<ServerMessage['kind']>;
  /** Runs travel in pieces. */
  chunked: boolean;
  /** Where the run request differs from that of `v0.3`. */
  toRun?: (run: ComputationRun) => unknown;
  fromRun?: (run: never) => ComputationRun;
}

function dialect(name: DialectName, numbering: Numbering): Dialect {
  const client = numbering.client as StreamMessage;
  const server = numbering.server as StreamMessage;
  const serverKinds = new Map(
    Object.entries(numbering.serverCases).map(([kind, member]) => [member, kind]),
  );
  const encode = (
    type: StreamMessage,
    cases: Cases<string>,
    kind: string,
    value: unknown,
  ): Buffer => {
    const $case = cases[kind];
    if ($case === undefined) throw new UnsupportedMessageError(name, kind);
    return toBytes(type, { message: { $case, value } });
  };
  const encodeServer = (message: ServerMessage): Buffer => {
    const { toRun } = numbering;
    const value = message.kind === 'run' && toRun ? toRun(message.value) : message.value;
    return encode(server, numbering.serverCases, message.kind, value);
  };
  return {
    name,
    sends: new Set(Object.keys(numbering.serverCases) as ServerMessage['kind'][]),
    answers: new Set(Object.keys(numbering.clientCases) as ClientMessage['kind'][]),
    encodeServer,
    encodeRun: (run) =>
      numbering.chunked
        ? runToChunks(run).map((value) => encodeServer({ kind: 'runChunk', value }))
        : [encodeServer({ kind: 'run', value: run })],
    decodeServer: (bytes) => {
      const { message } = fromBytes(server, bytes);
      if (message === undefined) return undefined;
      const kind = serverKinds.get(message.$case);
      const { fromRun } = numbering;
      const value = kind === 'run' && fromRun ? fromRun(message.value as never) : message.value;
      return { kind, value } as ServerMessage;
    },
    encodeClient: (message) => encode(client, numbering.clientCases, message.kind, message.value),
  };
}

const common = { agentLog: 'agentLog', agentEvent: 'agentEvent', runResponse: 'runRes' };
const plain = { run: 'runReq', terminate: 'terminateReq' };
const chunks = { ...plain, runChunk: 'runReqChunks', stop: 'stopComputation' };

/** The dialects of the manager stream, by name. */
export const dialects: Readonly<Record<DialectName, Dialect>> = {
  seed: dialect('seed', {
    client: seed.ClientStreamMessage,
    server: seed.ServerStreamMessage,
    clientCases: common,
    serverCases: plain,
    chunked: false,
    toRun: toSeedRun,
    fromRun: fromSeedRun,
  }),
  'v0.2': dialect('v0.2', {
    client: v02.ClientStreamMessage,
    server: v02.ServerStreamMessage,
    clientCases: common,
    serverCases: { ...plain, stop: 'stopComputation' },
    chunked: false,
    fromRun: fromV02Run,
  }),
  'v0.3': dialect('v0.3', {
    client: v03.ClientStreamMessage,
    server: v03.ServerStreamMessage,
    clientCases: { ...common, information: 'backendInfo', stopResponse: 'stopComputationRes' },
    serverCases: { ...chunks, informationRequest: 'backendInfoReq' },
    chunked: true,
  }),
  'v0.4': dialect('v0.4', {
    client: v04.ClientStreamMessage,
    server: v04.ServerStreamMessage,
    clientCases: {
      ...common,
      information: 'attestationPolicy',
      stopResponse: 'stopComputationRes',
      svmInfo: 'svmInfo',
    },
    serverCases: {
      ...chunks,
      informationRequest: 'attestationPolicyReq',
      svmInfoRequest: 'svmInfoReq',
    },
    chunked: true,
  }),
};
