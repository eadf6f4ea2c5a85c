import { stepResults, type InstructionStep, type SlotMacs } from '@glacis/contracts';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { Instructed } from '../agents/agent.entity.js';
import type { Job } from '../jobs/job.entity.js';
import { Crews, type Crew } from './crews.js';
import { planInForce, type PlanInForce } from './plan-in-force.js';
import { StepFailure } from './step-failure.js';
import type { JobResult } from './steps.store.js';
import { steps, type StepName } from './steps.js';

/** What a step works on. */
export interface StepContext {
  job: Pick<Job, 'id' | 'tenant' | 'placement' | 'queryHash' | 'schemaHash'>;
  attempt: number;
  plan: PlanInForce;
  /** When instances end by themselves. */
  until: Date;
  signal: AbortSignal;
}

type Work = (context: StepContext) => Promise<unknown>;

/**
 * The work of each step. A step is entered with agents that have done those before it, or with none: an agent does what
 * it has done once, so the way to any step is the same from a first start, after a failure and after a restart.
 */
@Injectable()
export class StepWorks {
  private readonly works: Record<Exclude<StepName, 'export'>, Work> = {
    create_vms: ({ until, signal, ...context }) =>
      this.crews.ensure(crewOf(context), until, signal),
    setup_auth: (context) => this.crews.enrolled(crewOf(context), context.signal),
    deploy: (context) => this.deploy(context),
    prepare_inputs: (context) => this.prepareInputs(context),
    run: (context) => this.tell(context, 'run'),
  };

  constructor(
    @Inject(Crews) private readonly crews: Crews,
    @Inject(Store) private readonly store: Store,
  ) {}

  /** The context of a job as it stands. */
  async context(job: Job, signal: AbortSignal): Promise<StepContext> {
    const until = job.deadlineAt ?? new Date(job.createdAt.getTime() + job.deadlineSeconds * 1_000);
    const { attempt } = job;
    return { job, attempt, until, signal, plan: await planInForce(this.store, job) };
  }

  /** Everything up to and with the step. */
  async upTo(name: Exclude<StepName, 'export'>, context: StepContext): Promise<void> {
    for (const step of steps) {
      if (step.name === 'export') return;
      await this.works[step.name](context);
      if (step.name === name) return;
    }
  }

  /** @throws {StepFailure} where the agents that ran are gone: others have no result to export */
  async export(context: StepContext): Promise<JobResult[]> {
    const done = await this.crews.told(crewOf(context), 'export');
    const told = done ?? (await this.tell(context, 'export'));
    const runs = (await this.crews.told(crewOf(context), 'run')) ?? [];
    return told.map(({ party, result }) => {
      const exported = stepResults.export.parse(result);
      const run = runs.find((each) => each.party === party)?.result;
      return { party, ...exported, slots: stepResults.run.parse(run).slots };
    });
  }

  private async deploy(context: StepContext): Promise<void> {
    const { job, plan } = context;
    const told = await this.tell(context, 'deploy', () => ({ facts: plan.facts }));
    const results = told.map(({ result }) => stepResults.deploy.parse(result));
    const agree =
      new Set(results.map((result) => result.plan_hash)).size === 1 &&
      results.every(
        (result) => result.query_hash === job.queryHash && result.schema_hash === job.schemaHash,
      );
    if (agree) return;
    throw new StepFailure('protocol', 'plan_mismatch', 'the parties compile different plans');
  }

  /** Stage C: each on its own files, then each compares its copies of slots with the MACs of the next party. */
  private async prepareInputs(context: StepContext): Promise<void> {
    const told = await this.tell(context, 'inputs');
    const made = new Map<number, SlotMacs[]>(
      told.map(({ party, result }) => [party, stepResults.inputs.parse(result).sets]),
    );
    await this.tell(context, 'check', (own) => {
      const party = (own + 1) % told.length;
      return { macs: [{ party, sets: made.get(party) ?? [] }] };
    });
  }

  private tell(
    context: StepContext,
    step: InstructionStep,
    body: (party: number) => unknown = () => ({}),
  ): Promise<Instructed[]> {
    const instruct = { step, planHash: context.plan.hash, body };
    return this.crews.instruct(crewOf(context), instruct, context.signal);
  }
}

const crewOf = ({ job, attempt }: Pick<StepContext, 'job' | 'attempt'>): Crew => ({ job, attempt });
