import { createHash } from 'node:crypto';
import {
  compile,
  estimate,
  LAN,
  Refusal,
  type CompileOptions,
  type Compiled,
  type PolicyNeeded,
} from '@glacis/mpc';
import { canonicalJson, type Json, type Schema } from '@glacis/shares';
import { ContractError, invalidFields } from '../contract/contract-error.js';
import type { CreateRequest } from '../contract/create-body.js';
import type { Execution, Isolation, JobWarning, ProviderName } from '../jobs/job.entity.js';
import type { JobsSettings } from '../settings.js';
import { place, type AccountsOf } from './placement.js';

/** What is known of a job before anything is made for it. */
export interface Draft {
  request: CreateRequest;
  options: CompileOptions;
  compiled: Compiled;
  placement: ProviderName[];
  execution: Execution;
  isolation: Isolation;
  warnings: JobWarning[];
  queryHash: string;
  schemaHash: string;
  policyNeeded: Record<string, PolicyNeeded>;
}

/** What stands behind the names of providers. */
export interface Drivers {
  executionOf(providers: readonly ProviderName[]): Execution;
  isolationOf(providers: readonly ProviderName[]): Isolation;
  accountsOf: AccountsOf;
}

/** Parties of the protocol of security level `semi`. */
const PARTIES = 3;

/**
 * Checks 10 to 12 of `jobs.md` 2.2, and all that follows from the request alone.
 * @throws {ContractError}
 */
export function draftOf(request: CreateRequest, settings: JobsSettings, drivers: Drivers): Draft {
  if (request.level === 'mal') throw fourParties();
  const placement = place(request.providers, PARTIES, drivers.accountsOf);
  const execution = drivers.executionOf(placement.providers);
  checkPlacement(placement.collusion, execution, settings);
  const options = optionsOf(request, settings);
  const compiled = compileQuery(request.sql, request.tables, options);
  checkRounds(compiled, settings.engineMaxRounds);
  const { sql, sent } = request;
  return {
    request,
    options,
    compiled,
    placement: placement.providers,
    execution,
    isolation: drivers.isolationOf(placement.providers),
    warnings: [
      ...placement.collusion,
      ...placement.unused,
      ...mixed(execution),
      ...compiled.warnings,
    ],
    queryHash: sha256(sql),
    schemaHash: sha256(canonicalJson(sent as Json)),
    policyNeeded: Object.fromEntries(compiled.policyNeeded),
  };
}

export function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** What the compiler takes beside text and schema. */
function optionsOf(
  floors: Pick<CompileOptions, 'minGroupSize' | 'minOwners' | 'maxSharePercent'>,
  settings: JobsSettings,
): CompileOptions {
  const { minGroupSize, minOwners, maxSharePercent } = floors;
  return {
    minGroupSize,
    minOwners,
    maxSharePercent,
    residual: settings.residual === 'on',
    extremes: settings.extremes,
    rawRows: settings.rawRows,
    avgScale: settings.engineAvgScale,
    maxRows: settings.engineMaxRows,
    maxRounds: settings.engineMaxRounds,
  };
}

/** @throws {ContractError} 400 with the place in the text */
function compileQuery(sql: string, tables: Schema, options: CompileOptions): Compiled {
  try {
    return compile(sql, tables, options);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw refused(error);
  }
}

/** Rows of a table that estimates are made for where nobody says how many there are. */
export const ESTIMATED_ROWS = 65_536;

/** @throws {ContractError} `too_complex`, for the whole of the query */
function checkRounds({ plan }: Compiled, maxRounds: number): void {
  const rows = plan.tables.map(() => ESTIMATED_ROWS);
  const { rounds } = estimate(plan, rows, LAN);
  if (rounds <= maxRounds) return;
  const start = { offset: 0, line: 1, column: 1, token: '' };
  throw refused({ code: 'too_complex', message: `${rounds} rounds are too many`, at: start });
}

function refused({ code, message, at }: Pick<Refusal, 'code' | 'message' | 'at'>): ContractError {
  const { offset, line, column, token } = at;
  return new ContractError(400, {
    error: `Query not supported: ${message} at line ${line}, column ${column}`,
    reason: { code, message, offset, line, column, token },
  });
}

function fourParties(): ContractError {
  return new ContractError(400, {
    error: 'security_level mal needs the four-party protocol, which arrives in phase two; use semi',
    invalid_fields: ['security_level'],
  });
}

function checkPlacement(
  collusion: readonly JobWarning[],
  execution: Execution,
  settings: JobsSettings,
): void {
  const member = 'cloud_providers';
  const fault = (code: string, message: string): ContractError =>
    invalidFields([{ member, field: member, code, message }]);
  if (!settings.executionAllow.includes(execution))
    throw fault('execution_not_allowed', `execution ${execution} is not allowed here`);
  const [first] = collusion;
  if (first && settings.collusion === 'deny') throw fault('collusion', first.message);
}

function mixed(execution: Execution): JobWarning[] {
  if (execution !== 'mixed') return [];
  const message = 'some parties run on the host of the service, others do not';
  return [{ code: 'mixed_execution', message }];
}
