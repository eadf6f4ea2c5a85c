import {
  execute,
  ProtocolError,
  run,
  RunFinding,
  type Inputs,
  type Protocol,
  type ResultShares,
} from '@glacis/mpc';
import { StepFailure } from '../failure.js';
import { planName, type CompiledJob } from '../job/compiled-job.js';
import { LinkError } from '../links/link-error.js';
import { Ring, type RingOptions } from '../links/ring.js';

export interface EngineRun {
  result: ResultShares;
  rounds: number;
  bytesSent: number;
}

/** Counts the rounds of a protocol as it goes. */
function* counted<T>(protocol: Protocol<T>, count: () => void): Protocol<T> {
  let state = protocol.next();
  while (!state.done) {
    count();
    state = protocol.next(yield state.value);
  }
  return state.value;
}

/**
 * Links up, compares with the neighbours, runs the plan, and sees that both neighbours have all.
 * @throws {StepFailure} and the neighbours are told to give up
 */
export async function runEngine(
  job: CompiledJob,
  inputs: Inputs,
  options: RingOptions,
): Promise<EngineRun> {
  let ring: Ring | undefined;
  let rounds = 0;
  try {
    ring = await Ring.open(options);
    const protocol = execute(job.compiled.plan, inputs, ring.party);
    const result = await run(
      counted(protocol, () => (rounds += 1)),
      ring,
    );
    const { bytesSent } = ring;
    await ring.settle();
    return { result, rounds, bytesSent };
  } catch (error) {
    ring?.close(true);
    throw failureOf(error, job);
  }
}

function failureOf(error: unknown, job: CompiledJob): unknown {
  if (error instanceof LinkError) return new StepFailure(error.failure, error.code, error.message);
  if (error instanceof ProtocolError) return new StepFailure('protocol', error.code, error.message);
  if (error instanceof RunFinding) return dataFailure(error, job);
  return error;
}

const messages: Record<RunFinding['code'], string> = {
  inconsistent_forms: 'the two forms of a column hold different values',
  out_of_range: 'a column holds values outside of its declaration',
  join_key_not_unique: 'a key that is declared unique is not',
};

/** The table whose owners a finding counts: that of the column, or the one with the unique key. */
function tableOfFinding({ code, column }: RunFinding, { plan }: CompiledJob['compiled']): number {
  if (code === 'join_key_not_unique') return plan.join?.unique ?? 0;
  return plan.columns.find(({ name }) => name === column)?.table ?? 0;
}

function dataFailure(found: RunFinding, job: CompiledJob): StepFailure {
  const { code, owner, column } = found;
  const { facts, compiled } = job;
  const name = compiled.plan.tables[tableOfFinding(found, compiled)];
  const owners = facts.owners.filter((each) => planName(job, each.table) === name);
  const finding = {
    code,
    message: messages[code],
    ...(owner === undefined ? {} : { owner: owners[owner]?.owner }),
    ...(column === undefined ? {} : { column }),
  };
  return new StepFailure('data', code, 'the data of an owner is not good', [finding]);
}
