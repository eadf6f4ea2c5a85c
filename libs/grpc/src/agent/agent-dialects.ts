import * as v050 from '../generated/cvms/v0.5.0/cvms.js';
import * as v051 from '../generated/cvms/v0.5.1/cvms.js';
import * as v09 from '../generated/cvms/v0.9/cvms.js';
import * as v010 from '../generated/cvms/v0.10/cvms.js';
import type { Dialect } from '../manager/dialect.js';
import type { AgentDialectName } from '../manager/messages.js';
import { clientDecoder, dialect } from '../manager/numbering.js';
import { fromSourcedRun, fromV051Run, toSourcedRun } from './run-forms.js';

const firstAnswers = {
  agentLog: 'agentLog',
  agentEvent: 'agentEvent',
  runResult: 'runRes',
  stopResponse: 'stopComputationRes',
  agentState: 'agentStateRes',
};
const answers = {
  ...firstAnswers,
  vtpmEvidence: 'vTPMattestationReport',
  azureEvidence: 'azureAttestationToken',
};
/** Runs go in pieces only: a plain run request ends the stream of an agent before `v0.10`. */
const firstRequests = {
  runChunk: 'runReqChunks',
  stop: 'stopComputation',
  stateRequest: 'agentStateReq',
};
const requests = { ...firstRequests, disconnect: 'disconnectReq' };

const shared = {
  takesRuns: 'together',
  decodeClient: clientDecoder(v010.ClientStreamMessage, answers),
} as const;
const sourced = { ...shared, toRun: toSourcedRun, fromRun: fromSourcedRun };

/** The dialects of the agent stream (`backends.md` 9), by name. */
export const agentDialects: Readonly<Record<AgentDialectName, Dialect>> = {
  'v0.5.0': dialect('v0.5.0', {
    ...shared,
    client: v050.ClientStreamMessage,
    server: v050.ServerStreamMessage,
    run: v050.ComputationRunReq,
    clientCases: firstAnswers,
    serverCases: firstRequests,
  }),
  'v0.5.1': dialect('v0.5.1', {
    ...shared,
    client: v051.ClientStreamMessage,
    server: v051.ServerStreamMessage,
    run: v051.ComputationRunReq,
    clientCases: answers,
    serverCases: requests,
    fromRun: fromV051Run,
  }),
  'v0.9': dialect('v0.9', {
    ...sourced,
    client: v09.ClientStreamMessage,
    server: v09.ServerStreamMessage,
    run: v09.ComputationRunReq,
    clientCases: answers,
    serverCases: requests,
    runExtras: ['source', 'decompress', 'algo_type', 'algo_args', 'kbs'],
  }),
  'v0.10': dialect('v0.10', {
    ...sourced,
    client: v010.ClientStreamMessage,
    server: v010.ServerStreamMessage,
    run: v010.ComputationRunReq,
    clientCases: answers,
    serverCases: requests,
    runExtras: ['source', 'source.type', 'decompress', 'algo_type', 'algo_args', 'asset.kbs'],
  }),
};
