import type {
  AgentEvent,
  AgentLog,
  ComputationRunReq,
  RunReqChunks,
  RunResponse,
  StopComputationResponse,
  SVMInfo,
} from '../generated/manager/v0.4/manager.js';

export type { AgentEvent, AgentLog, RunReqChunks, RunResponse, StopComputationResponse, SVMInfo };

/** A run request in the form of `v0.3` and later, which is how the suite keeps it; dialects convert it. */
export type ComputationRun = ComputationRunReq;

export const dialectNames = ['seed', 'v0.2', 'v0.3', 'v0.4'] as const;
export type DialectName = (typeof dialectNames)[number];

/** What a manager says, whatever its dialect. */
export type ClientMessage =
  | { kind: 'agentLog'; value: AgentLog }
  | { kind: 'agentEvent'; value: AgentEvent }
  | { kind: 'runResponse'; value: RunResponse }
  /** Backend information (`v0.3`) or attestation policy (`v0.4`); `id` echoes the request. */
  | { kind: 'information'; value: { id: string; info: Buffer } }
  | { kind: 'stopResponse'; value: StopComputationResponse }
  | { kind: 'svmInfo'; value: SVMInfo };

/** What the server says, whatever the dialect. */
export type ServerMessage =
  | { kind: 'run'; value: ComputationRun }
  | { kind: 'runChunk'; value: RunReqChunks }
  | { kind: 'terminate'; value: { message: string } }
  | { kind: 'stop'; value: { computationId: string } }
  | { kind: 'informationRequest'; value: { id: string } }
  | { kind: 'svmInfoRequest'; value: { id: string } };

export type ServerMessageKind = ServerMessage['kind'];

/** The bytes are no message of the manager stream: end the call with INVALID_ARGUMENT. */
export class UndecodableMessageError extends Error {
  constructor(options?: ErrorOptions) {
    super('undecodable message', options);
    this.name = 'UndecodableMessageError';
  }
}

/** The dialect has no such message; asking for it is a mistake of the caller, see `Dialect.sends` and `answers`. */
export class UnsupportedMessageError extends Error {
  constructor(
    readonly dialect: DialectName,
    readonly kind: string,
  ) {
    super(`${dialect} has no message ${kind}`);
    this.name = 'UnsupportedMessageError';
  }
}
