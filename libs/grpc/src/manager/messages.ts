import type { Algorithm, ComputationRunReq } from '../generated/backends/v1/run.js';
import type { AgentStateRes, AttestationResponse } from '../generated/cvms/v0.10/cvms.js';
import type {
  AgentEvent,
  AgentLog,
  RunReqChunks,
  RunResponse,
  StopComputationResponse,
  SVMInfo,
} from '../generated/manager/v0.4/manager.js';

export type { AgentEvent, AgentLog, RunReqChunks, RunResponse, StopComputationResponse, SVMInfo };

/**
 * A run request as the suite keeps it: the form of `v0.3`, and what agents of `v0.9` on know beside it. Dialects convert
 * it.
 */
export interface ComputationRun extends Omit<ComputationRunReq, 'algorithm'> {
  algorithm: (Omit<Algorithm, 'algoArgs'> & { algoArgs?: string[] }) | undefined;
}

export const dialectNames = ['seed', 'v0.2', 'v0.3', 'v0.4'] as const;
/** A dialect of managers. */
export type DialectName = (typeof dialectNames)[number];

/** `v0.5.1` serves up to v0.8.x. */
export const agentDialectNames = ['v0.5.0', 'v0.5.1', 'v0.9', 'v0.10'] as const;
/** A dialect of agents. */
export type AgentDialectName = (typeof agentDialectNames)[number];

/** What a manager or an agent says, whatever its dialect. */
export type ClientMessage =
  | { kind: 'agentLog'; value: AgentLog }
  | { kind: 'agentEvent'; value: AgentEvent }
  | { kind: 'runResponse'; value: RunResponse }
  /** Backend information (`v0.3`) or attestation policy (`v0.4`); `id` echoes the request. */
  | { kind: 'information'; value: { id: string; info: Buffer } }
  | { kind: 'stopResponse'; value: StopComputationResponse }
  | { kind: 'svmInfo'; value: SVMInfo }
  /** An agent's answer to a run: an empty `error` means that it waits for its algorithm. */
  | { kind: 'runResult'; value: { computationId: string; error: string } }
  /** `id` echoes the request. */
  | { kind: 'agentState'; value: AgentStateRes }
  /** Evidence of an agent, sent unasked. */
  | { kind: 'vtpmEvidence' | 'azureEvidence'; value: AttestationResponse };

/** What the server says, whatever the dialect. */
export type ServerMessage =
  | { kind: 'run'; value: ComputationRun }
  | { kind: 'runChunk'; value: RunReqChunks }
  | { kind: 'terminate'; value: { message: string } }
  | { kind: 'stop'; value: { computationId: string } }
  | { kind: 'informationRequest'; value: { id: string } }
  | { kind: 'svmInfoRequest'; value: { id: string } }
  | { kind: 'stateRequest'; value: { id: string } }
  | { kind: 'disconnect'; value: { id: string } };

export type ServerMessageKind = ServerMessage['kind'];

/** The bytes are no message of the stream: end the call with INVALID_ARGUMENT. */
export class UndecodableMessageError extends Error {
  constructor(options?: ErrorOptions) {
    super('undecodable message', options);
    this.name = 'UndecodableMessageError';
  }
}

/** The dialect has no such message; asking for it is a mistake of the caller, see `Dialect.sends` and `answers`. */
export class UnsupportedMessageError extends Error {
  constructor(
    readonly dialect: DialectName | AgentDialectName,
    readonly kind: string,
  ) {
    super(`${dialect} has no message ${kind}`);
    this.name = 'UnsupportedMessageError';
  }
}
