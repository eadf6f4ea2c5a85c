import { randomBytes, randomUUID } from 'node:crypto';
import type { InstructionStep } from '@glacis/contracts';
import { LOGGER, type Logger } from '@glacis/observability';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { AgentListener } from '../agents/agent-listener.js';
import type { Agent, Instructed } from '../agents/agent.entity.js';
import { endAgent, insertAgent, livingAgents, setInstance } from '../agents/agents.store.js';
import { Bells } from '../agents/bells.js';
import { sha256Of } from '../agents/enrolment.js';
import { insertInstruction, instructedOf } from '../agents/instructions.store.js';
import { PartyCertificates } from '../agents/party-certificates.js';
import type { Instance, InstanceRef } from '../compute/compute-provider.js';
import { ComputeProviders } from '../compute/compute-providers.js';
import type { Job, ProviderName } from '../jobs/job.entity.js';
import { StepFailure } from './step-failure.js';

/** Milliseconds that a one-time token counts. */
const tokenMs = 600_000;
/** Milliseconds of silence after which a party is lost (jobs.md 9). */
const silenceMs = 60_000;
/** Milliseconds after which those who wait for agents look by themselves. */
const lookMs = 500;
const callMs = 60_000;
/** Milliseconds that the word of a provider elsewhere counts, as clouds count calls. */
const wordMs = 5_000;

/** The agents of one attempt of a job. */
export interface Crew {
  job: Pick<Job, 'id' | 'tenant' | 'placement'>;
  attempt: number;
  /** Absent: all. */
  parties?: readonly number[];
}

const partiesOf = ({ job, parties = [...job.placement.keys()] }: Crew): readonly number[] =>
  parties;

export interface Instruct {
  step: InstructionStep;
  planHash: string | null;
  body: (party: number) => unknown;
}

/** Starts the agents of a job, tells them what to do, waits for their reports, and ends them. */
@Injectable()
export class Crews {
  /** Local agents that this process has started; those of another one end with it, and are not taken over. */
  private readonly own = new Set<string>();
  /** Milliseconds: since then agents are heard; who calls a service that was away comes back a while after. */
  private readonly listensSince: number;
  /** What providers elsewhere said last of agents, and when. */
  private readonly words = new Map<string, { at: number; state: Instance['state'] }>();

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(ComputeProviders) private readonly compute: ComputeProviders,
    @Inject(PartyCertificates) private readonly certificates: PartyCertificates,
    @Inject(AgentListener) private readonly listener: AgentListener,
    @Inject(Bells) private readonly bells: Bells,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.listensSince = clock.now().getTime();
  }

  /** The agents that there are, if all of them live; else all are started anew. All are up then. */
  async ensure(crew: Crew, until: Date, signal: AbortSignal): Promise<Agent[]> {
    const found = await livingAgents(this.store, crew.job.id, crew.attempt);
    if (found.length !== partiesOf(crew).length || !(await this.all(found, isThere))) {
      await this.end(crew);
      await allOf(partiesOf(crew).map((party) => this.start(crew, { party, until, signal })));
    }
    return this.until(crew, signal, async () => {
      const agents = await livingAgents(this.store, crew.job.id, crew.attempt);
      return (await this.all(agents, (state) => state === 'up')) ? agents : undefined;
    });
  }

  /** Waits until all agents have their certificates. */
  async enrolled(crew: Crew, signal: AbortSignal): Promise<Agent[]> {
    return this.until(crew, signal, async () => {
      const agents = await livingAgents(this.store, crew.job.id, crew.attempt);
      return agents.every(({ uri }) => uri !== null) ? agents : undefined;
    });
  }

  /**
   * Gives every agent the instruction, unless it has it, and waits until all have done it.
   * @throws {StepFailure} of the party whose failure says most
   */
  async instruct(crew: Crew, instruct: Instruct, signal: AbortSignal): Promise<Instructed[]> {
    const agents = await livingAgents(this.store, crew.job.id, crew.attempt);
    const ids = agents.map(({ id }) => id);
    for (const { id, party } of agents) {
      await insertInstruction(this.store, {
        id: randomUUID(),
        agentId: id,
        step: instruct.step,
        planHash: instruct.planHash,
        body: instruct.body(party),
        now: this.clock.now(),
      });
      this.bells.ring(id);
    }
    return this.until(crew, signal, async () => {
      const told = await instructedOf(this.store, ids, instruct.step);
      const ended = told.filter(({ endedAt }) => endedAt !== null);
      if (ended.length < partiesOf(crew).length) return undefined;
      throwFailure(ended);
      return ended;
    });
  }

  /** What the agents that there are have done of a step; undefined unless all have done it. */
  async told(crew: Crew, step: InstructionStep): Promise<Instructed[] | undefined> {
    const agents = await livingAgents(this.store, crew.job.id, crew.attempt);
    const ids = agents.map(({ id }) => id);
    const told = await instructedOf(this.store, ids, step);
    const done = told.filter(({ endedAt, failure }) => endedAt !== null && failure === null);
    return done.length === partiesOf(crew).length ? done : undefined;
  }

  /** Ends the agents of an attempt, or of all; they are confirmed gone and their certificates ended. */
  async end({ job, attempt }: { job: Pick<Job, 'id'>; attempt?: number }): Promise<void> {
    const agents = await livingAgents(this.store, job.id, attempt);
    await allOf(agents.map((agent) => this.endOne(agent)));
    this.bells.forget(job.id);
  }

  async endOne(agent: Agent): Promise<void> {
    const call = { timeoutMs: callMs };
    const { id, jobId, tenant } = agent;
    const compute = this.compute.of(agent.provider as ProviderName);
    if (agent.instance !== null) await compute.terminate(agent.instance as InstanceRef, call);
    else await this.endUnknown(agent);
    await this.certificates.revoke({ jobId, tenant, entityId: id });
    await endAgent(this.store, id, this.clock.now());
    this.bells.forget(id);
    this.own.delete(id);
    this.words.delete(id);
  }

  /** The service ended between start and note: the instance is found by its run id. */
  private async endUnknown({ id, jobId, provider }: Agent): Promise<void> {
    const call = { timeoutMs: callMs };
    const compute = this.compute.of(provider as ProviderName);
    const found = await compute.listByTag({ job: jobId }, call);
    const own = found.filter(({ runId }) => runId === id);
    await allOf(own.map(({ ref }) => compute.terminate(ref, call)));
  }

  private async start(
    { job, attempt }: Crew,
    order: { party: number; until: Date; signal: AbortSignal },
  ): Promise<void> {
    const { party, until: expires, signal } = order;
    const provider = job.placement[party] as ProviderName;
    const compute = this.compute.of(provider);
    const isLocal = job.placement.every((each) => this.compute.of(each).driver === 'local');
    if (compute.driver !== 'local' && this.certificates.localOnly) throw noIssuer();
    const token = randomBytes(32).toString('base64url');
    const id = randomUUID();
    const now = this.clock.now();
    this.own.add(id);
    await insertAgent(this.store, {
      id,
      jobId: job.id,
      attempt,
      party,
      tenant: job.tenant,
      provider,
      tokenSha256: sha256Of(token),
      tokenUntil: new Date(now.getTime() + tokenMs),
      startedAt: now,
    });
    const instance = await compute.ensureInstance(
      {
        tags: { job: job.id, party, attempt, expires },
        runId: id,
        token,
        config: {
          // Where all are on this host, they stay among themselves.
          coordinator: isLocal ? this.listener.ownUrl : this.listener.url,
          coordinator_ca: this.listener.ca,
          identity: this.compute.identityOf(provider),
        },
      },
      { signal, timeoutMs: callMs },
    );
    await setInstance(this.store, id, instance.ref);
  }

  private async all(
    agents: readonly Agent[],
    are: (state: Instance['state']) => boolean,
  ): Promise<boolean> {
    const states = await Promise.all(agents.map((agent) => this.stateOf(agent)));
    return states.every(are);
  }

  private async stateOf(agent: Agent): Promise<Instance['state']> {
    const { instance, provider, id } = agent;
    const compute = this.compute.of(provider as ProviderName);
    if (instance === null || (compute.driver === 'local' && !this.own.has(id))) return 'gone';
    const word = this.words.get(id);
    if (word !== undefined && performance.now() - word.at < wordMs) return word.state;
    const found = await compute.describe(instance as InstanceRef, { timeoutMs: callMs });
    const state = found?.state ?? 'gone';
    if (compute.driver !== 'local') this.words.set(id, { at: performance.now(), state });
    return state;
  }

  /** Probes at each report, and as time goes by, until something comes back. */
  private async until<T>(
    crew: Crew,
    signal: AbortSignal,
    probe: () => Promise<T | undefined>,
  ): Promise<T> {
    const bell = this.bells.of(crew.job.id);
    for (;;) {
      signal.throwIfAborted();
      const { count } = bell;
      const found = await probe();
      if (found !== undefined) return found;
      await this.throwLost(crew);
      await bell.after(count, lookMs, signal);
    }
  }

  /** @throws {StepFailure} when an agent has ended, or has been silent for too long */
  private async throwLost(crew: Crew): Promise<void> {
    const agents = await livingAgents(this.store, crew.job.id, crew.attempt);
    const limit = this.clock.now().getTime() - silenceMs;
    // A machine takes its time to start; how long is bounded by the step.
    const isSilent = ({ heardAt }: Agent): boolean =>
      heardAt !== null && Math.max(heardAt.getTime(), this.listensSince) < limit;
    const silent = agents.find(isSilent);
    const states = await Promise.all(agents.map((agent) => this.stateOf(agent)));
    const gone = agents.find((_, i) => states[i] === 'gone');
    const lost = gone ?? silent;
    if (lost === undefined && agents.length === partiesOf(crew).length) return;
    this.logger.warn({ job: crew.job.id, party: lost?.party }, 'a party is lost');
    const which = lost === undefined ? 'a party' : `party ${lost.party}`;
    throw new StepFailure('transient', 'lost_party', `${which} ended or fell silent`);
  }
}

const isThere = (state: Instance['state']): boolean => state !== 'gone';

/** An authority in memory would be gone, or another one, after a restart that such agents outlive. */
const noIssuer = (): StepFailure =>
  new StepFailure(
    'infra',
    'no_issuer',
    'parties elsewhere need the service certificates (GLACIS_JOBS_PKI)',
  );

/** What tells more than that a neighbour was lost, the most telling first. */
const telling = ['policy', 'data', 'attestation', 'protocol', 'engine', 'timeout', 'infra'];

/** Once all have ended, as each party may have found something. */
function throwFailure(told: readonly Instructed[]): void {
  const failed = told.flatMap(({ failure }) => failure ?? []);
  const classes = [...telling, 'transient'];
  const [worst] = failed.toSorted((a, b) => classes.indexOf(a.class) - classes.indexOf(b.class));
  if (worst === undefined) return;
  const findings = told.flatMap((one) => one.findings ?? []);
  throw new StepFailure(worst.class, worst.code, worst.message, findings);
}

/** Waits for all, also where one fails, so that nothing goes on behind the caller's back. */
async function allOf(work: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}
