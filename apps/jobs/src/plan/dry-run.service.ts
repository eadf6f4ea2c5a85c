import { estimate, LAN, operatorsOf, WAN } from '@glacis/mpc';
import { Inject, Injectable } from '@nestjs/common';
import type { JobsCaller } from '../access/callers.js';
import { MODE, type Mode } from '../access/mode.js';
import { invalidFields, refusals } from '../contract/contract-error.js';
import type { ContractReply } from '../contract/contract-reply.js';
import { CreateJob } from '../contract/create-job.service.js';
import { isObject } from '../contract/json-body.js';
import { ESTIMATED_ROWS, type Draft } from './draft.js';

const [nanoseconds, digits] = [1e9, 3];

/** What a job would be, without making anything (`jobs.md` 3.1). */
@Injectable()
export class DryRun {
  constructor(
    @Inject(CreateJob) private readonly createJob: CreateJob,
    @Inject(MODE) private readonly mode: Mode,
  ) {}

  /** @throws {ContractError} */
  allow({ who }: JobsCaller): void {
    if (who.kind === 'nobody' && !this.mode.open) throw refusals.unauthenticated();
    if (who.kind === 'holder') throw refusals.forbidden();
  }

  /** @throws {ContractError} as `create_job` up to its check 12 */
  of(body: Record<string, unknown>): ContractReply {
    const draft = this.createJob.draft(body, false);
    const { plan, leakage } = draft.compiled;
    const rows = rowsOf(body['rows'], draft);
    const lan = estimate(plan, rows, LAN);
    const contract = {
      query_hash: draft.queryHash,
      operators: operatorsOf(plan),
      policy_needed: draft.policyNeeded,
      leakage,
      warnings: draft.warnings,
      estimate: {
        rounds: lan.rounds,
        bytes_per_party: lan.bytesPerParty,
        seconds_lan: seconds(lan.nanoseconds),
        seconds_wan: seconds(estimate(plan, rows, WAN).nanoseconds),
        memory: lan.memory,
      },
    };
    return { contract, extension: {} };
  }
}

const seconds = (time: number): number => Number((time / nanoseconds).toFixed(digits));

/** Of each table of the plan. @throws {ContractError} */
function rowsOf(rows: unknown, { compiled, options }: Draft): number[] {
  const { tables } = compiled.plan;
  const given = tables.map((table) =>
    isObject(rows) ? (rows[table] ?? ESTIMATED_ROWS) : (rows ?? ESTIMATED_ROWS),
  );
  const isCount = (count: unknown): count is number =>
    Number.isInteger(count) && Number(count) >= 1 && Number(count) <= options.maxRows;
  if (given.every(isCount)) return given;
  const message = `expected 1 to ${options.maxRows}, for all tables or by table`;
  throw invalidFields([{ member: 'rows', field: 'rows', code: 'out_of_range', message }]);
}
