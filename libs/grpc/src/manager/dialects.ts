import * as seed from '../generated/manager/seed/manager.js';
import * as v02 from '../generated/manager/v0.2/manager.js';
import * as v03 from '../generated/manager/v0.3/manager.js';
import * as v04 from '../generated/manager/v0.4/manager.js';
import type { Dialect } from './dialect.js';
import type { DialectName } from './messages.js';
import { clientDecoder, dialect } from './numbering.js';
import { fromSeedRun, fromV02Run, toSeedRun } from './run-forms.js';

const common = { agentLog: 'agentLog', agentEvent: 'agentEvent', runResponse: 'runRes' };
const plain = { run: 'runReq', terminate: 'terminateReq' };
const chunks = { ...plain, runChunk: 'runReqChunks', stop: 'stopComputation' };

const latestAnswers = {
  ...common,
  information: 'attestationPolicy',
  stopResponse: 'stopComputationRes',
  svmInfo: 'svmInfo',
};
/** What a manager of any dialect sent: the numbers of `v0.4` are the union of all. See `Dialect.decodeClient`. */
export const decodeClientMessage = clientDecoder(v04.ClientStreamMessage, latestAnswers);

/** The dialects of the manager stream, by name. */
export const dialects: Readonly<Record<DialectName, Dialect>> = {
  seed: dialect('seed', {
    client: seed.ClientStreamMessage,
    server: seed.ServerStreamMessage,
    run: seed.ComputationRunReq,
    clientCases: common,
    serverCases: plain,
    takesRuns: 'one by one',
    toRun: toSeedRun,
    fromRun: fromSeedRun,
    decodeClient: decodeClientMessage,
  }),
  'v0.2': dialect('v0.2', {
    client: v02.ClientStreamMessage,
    server: v02.ServerStreamMessage,
    run: v02.ComputationRunReq,
    clientCases: common,
    serverCases: { ...plain, stop: 'stopComputation' },
    takesRuns: 'one by one',
    fromRun: fromV02Run,
    decodeClient: decodeClientMessage,
  }),
  'v0.3': dialect('v0.3', {
    client: v03.ClientStreamMessage,
    server: v03.ServerStreamMessage,
    run: v03.ComputationRunReq,
    clientCases: { ...common, information: 'backendInfo', stopResponse: 'stopComputationRes' },
    serverCases: { ...chunks, informationRequest: 'backendInfoReq' },
    // Its buffer is never cleared: a second run would be decoded from both requests glued together.
    takesRuns: 'once',
    decodeClient: decodeClientMessage,
  }),
  'v0.4': dialect('v0.4', {
    client: v04.ClientStreamMessage,
    server: v04.ServerStreamMessage,
    run: v04.ComputationRunReq,
    clientCases: latestAnswers,
    serverCases: {
      ...chunks,
      informationRequest: 'attestationPolicyReq',
      svmInfoRequest: 'svmInfoReq',
    },
    takesRuns: 'together',
    decodeClient: decodeClientMessage,
  }),
};
