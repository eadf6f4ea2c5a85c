export { compile, type Compiled } from './compile/compile.js';
export type { Predicate } from './compile/conditions.js';
export { DEFAULTS, type CompileOptions } from './compile/options.js';
export type * from './compile/plan.js';
export type { ColumnUses, PolicyNeeded } from './compile/uses.js';
export type { Value } from './compile/values.js';
export type { Warning } from './compile/warnings.js';
export { Refusal, REFUSAL_CODES, type Position, type RefusalCode } from './sql/refusal.js';
export { finalise, type Finalised } from './protocol/finalise.js';
export { collect, frame, type Frame, type Grouped } from './protocol/groups.js';
export { joinUnique, type Joined, type JoinInput } from './protocol/join.js';
export { run, together, type Link, type Protocol } from './protocol/link.js';
export {
  keyStreams,
  Party,
  ProtocolError,
  type PartyId,
  type Stream,
  type Streams,
} from './protocol/party.js';
export type { Bits, Plane, Shares, Wide } from './protocol/shares.js';
export { shuffle, type Column } from './protocol/shuffle.js';
export { sort, type KeyBit } from './protocol/sort.js';
export { estimate, LAN, WAN, type Estimate, type Net } from './estimate/estimate.js';
export { execute } from './execute/execute.js';
export { RunFinding } from './execute/finding.js';
export {
  rowsOfHello,
  tableInput,
  type ColumnInput,
  type Inputs,
  type InputSet,
  type TableInput,
} from './execute/inputs.js';
export { operatorsOf } from './execute/operators.js';
export { resultColumns, type ResultShares } from './execute/results.js';
