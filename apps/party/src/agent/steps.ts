import type {
  AgentConfig,
  Instruction,
  InstructionStep,
  InputsReply,
  JobFacts,
  ReceiptBody,
  SlotMacs,
  stepResults,
} from '@glacis/contracts';
import { rowsOfHello, type Inputs, type PartyId } from '@glacis/mpc';
import { seal, type KeyPair } from '@glacis/shares';
import { buffer, json } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Coordinator } from '../coordinator/coordinator.js';
import { StepFailure } from '../failure.js';
import { compareDuplicates, macsForPrevious, type MacPair } from '../inputs/duplicates.js';
import { engineInputs, rowsOf, wideColumns } from '../inputs/engine-inputs.js';
import { loadSets, type LoadedSet } from '../inputs/load-sets.js';
import { compileJob, type CompiledJob } from '../job/compiled-job.js';
import { sha256Of } from '../job/digest.js';
import type { Enrolled } from '../keys/enrol.js';
import { OwnIdentity } from '../identity/own-identity.js';
import { keptKey } from '../keys/kept-key.js';
import type { Hello } from '../links/hello.js';
import { LinkListener } from '../links/listener.js';
import { checkPolicies } from '../policies/check-policies.js';
import { resultSlots, tooManySlots } from '../policies/result-slots.js';
import { policyDigests, signReceipt } from '../run/receipt.js';
import { resultFile } from '../run/result-file.js';
import { runEngine, type EngineRun } from '../run/run-engine.js';

type Result<S extends InstructionStep> = z.infer<(typeof stepResults)[S]>;
type Body<S extends InstructionStep> = Extract<Instruction, { step: S }>['body'];

export interface StepsOptions {
  /** Directory of this agent. */
  folder: string;
  config: AgentConfig;
  coordinator: Coordinator;
  enrolled: Enrolled;
  macKey: KeyPair;
  /** Digest of the program. */
  engine: string;
  now?: () => Date;
}

/** What an agent does, step by step (jobs.md 9, 10.2), and what it holds between steps. */
export class Steps {
  private listener: LinkListener | undefined;
  private job: CompiledJob | undefined;
  private given: InputsReply | undefined;
  private sets: readonly LoadedSet[] = [];
  /** What the receipt says of them. */
  private loaded: ReceiptBody['inputs'] = [];
  private inputs: Inputs | undefined;
  private ran: EngineRun | undefined;
  private readonly party: PartyId;

  constructor(private readonly options: StepsOptions) {
    this.party = options.enrolled.reply.party as PartyId;
  }

  async keys(): Promise<Result<'keys'>> {
    return { seal_key: (await this.sealKey()).publicKey };
  }

  async deploy({ facts, engine }: Body<'deploy'>): Promise<Result<'deploy'>> {
    const { options } = this;
    if (engine !== undefined && engine !== options.engine)
      throw new StepFailure('infra', 'other_engine', 'this agent has another program');
    this.checkWhose(facts);
    const job = compileJob(facts);
    if (job.factsHash !== this.job?.factsHash) this.begin(job);
    const { listen_host: host = '127.0.0.1', listen_port: port = 0 } = options.config;
    this.listener ??= await LinkListener.open(options.enrolled.identity, host, port);
    return {
      plan_hash: job.compiled.planHash,
      query_hash: job.queryHash,
      schema_hash: job.schemaHash,
      engine: options.engine,
      address: { host: options.config.advertise_host ?? '127.0.0.1', port: this.listener.port },
    };
  }

  /** Policies first: not a share is read that its owner does not allow to be used so. */
  async loadInputs(): Promise<Result<'inputs'>> {
    const { config, coordinator, now = () => new Date() } = this.options;
    const job = this.due(this.job);
    this.begin(job);
    const given = await coordinator.inputs();
    const faults = await checkPolicies(job, given, now());
    if (faults.length > 0) throw policyFailure(faults);
    const { privateKey: sealKey } = await this.sealKey();
    const identity = new OwnIdentity(config.identity);
    const { party } = this;
    this.sets = await loadSets(given.files, { job, coordinator, identity, party, sealKey });
    const slots = resultSlots(job.compiled.plan, rowsOf(job, this.sets));
    const beyond = tooManySlots(given.policies, slots);
    if (beyond.length > 0) throw policyFailure(beyond);
    this.given = given;
    this.loaded = this.sets.map(({ owner, set, sha256, table }) => ({ owner, set, sha256, table }));
    return { sets: await macsForPrevious(await this.pairWith(this.previous), this.sets) };
  }

  /** The engine gets its inputs only here: what has not been compared is not computed with. */
  async check({ macs }: Body<'check'>): Promise<Result<'check'>> {
    if (this.inputs !== undefined) return {};
    this.due(this.given);
    const theirs: SlotMacs[] = macs.flatMap(({ party, sets }) => (party === this.next ? sets : []));
    const pair = await this.pairWith(this.next);
    const faults = await compareDuplicates(pair, this.sets, theirs);
    const findings = faults.map((fault) => ({ ...fault, party: this.party }));
    if (findings.length > 0)
      throw new StepFailure('data', 'owner_data_rejected', 'copies of slots differ', findings);
    // The engine has its own form of them; what was read is let go.
    this.inputs = engineInputs(this.due(this.job), this.sets);
    this.sets = [];
    return {};
  }

  async run(): Promise<Result<'run'>> {
    const { enrolled, coordinator } = this.options;
    const [job, inputs] = [this.due(this.job), this.due(this.inputs)];
    const { peers } = await coordinator.peers();
    const [next, previous] = [this.next, this.previous].map((party) =>
      this.due(peers.find((peer) => peer.party === party)),
    );
    this.ran = await runEngine(job, inputs, {
      identity: enrolled.identity,
      listener: this.due(this.listener),
      hello: this.hello(job, inputs),
      next: { uri: this.due(next).uri, address: this.due(next?.address ?? undefined) },
      previous: { uri: this.due(previous).uri },
    });
    const { result, rounds, bytesSent } = this.ran;
    return { slots: result.rows, rounds, bytes_sent: bytesSent };
  }

  async export(): Promise<Result<'export'>> {
    const { coordinator, enrolled } = this.options;
    const file = resultFile(this.due(this.ran).result);
    const { result_key: key } = this.due(this.job).facts;
    const body = key === null ? file : await buffer(Readable.from(seal(key)([file])));
    const sha256 = sha256Of(body);
    const { url, headers } = await coordinator.output();
    const stored = (await json(await coordinator.put(url, headers, body))) as { sha256?: unknown };
    if (stored.sha256 !== sha256)
      throw new StepFailure('transient', 'result_changed', 'the stored result is another one');
    const receipt = signReceipt(
      this.receiptBody(sha256Of(file)),
      enrolled.signingKey,
      enrolled.reply.chain,
    );
    return { bytes: body.length, sha256, sealed: key !== null, receipt };
  }

  close(): void {
    this.listener?.close();
  }

  /** Whatever was allowed of another job, or under other limits, is allowed no more. */
  private begin(job: CompiledJob): void {
    this.job = job;
    this.given = undefined;
    this.sets = [];
    this.inputs = undefined;
    this.ran = undefined;
  }

  private get next(): PartyId {
    return ((this.party + 1) % 3) as PartyId;
  }

  private get previous(): PartyId {
    return ((this.party + 2) % 3) as PartyId;
  }

  private sealKey(): Promise<KeyPair> {
    return keptKey(this.options.folder, 'seal');
  }

  /** An agent serves the job, attempt and number of parties that it enrolled for, and no other. */
  private checkWhose({ job_id: job, attempt, parties }: JobFacts): void {
    const { reply } = this.options.enrolled;
    if (job !== reply.job_id || attempt !== reply.attempt || parties !== 3)
      throw new StepFailure('protocol', 'another_job', 'the instruction is for another job');
  }

  private async pairWith(party: PartyId): Promise<MacPair> {
    const { peers } = await this.options.coordinator.peers();
    const { mac_key: peer } = this.due(peers.find((each) => each.party === party));
    return { jobId: this.due(this.job).facts.job_id, own: this.options.macKey.privateKey, peer };
  }

  private hello(job: CompiledJob, inputs: Inputs): Hello {
    return {
      version: 1,
      job: job.facts.job_id,
      attempt: job.facts.attempt,
      party: this.party,
      parties: job.facts.parties,
      plan_hash: job.compiled.planHash,
      facts: job.factsHash,
      rows: rowsOfHello(inputs),
      wide: wideColumns(inputs),
      policies: policyDigests(this.due(this.given).policies).map(({ sha256 }) => sha256),
    };
  }

  private receiptBody(resultHash: string): ReceiptBody {
    const job = this.due(this.job);
    return {
      attempt: job.facts.attempt,
      engine: this.options.engine,
      inputs: this.loaded,
      job_id: job.facts.job_id,
      limits: job.compiled.plan.limits,
      party: this.party,
      plan_hash: job.compiled.planHash,
      policies: policyDigests(this.due(this.given).policies),
      query_hash: job.queryHash,
      result_sha256: resultHash,
      slots: this.due(this.ran).result.rows,
    };
  }

  /** What an earlier step made. */
  private due<T>(made: T | undefined): T {
    if (made === undefined)
      throw new StepFailure('protocol', 'out_of_order', 'an earlier step has not been done');
    return made;
  }
}

const policyFailure = (findings: StepFailure['findings']): StepFailure =>
  new StepFailure('policy', 'policy_violation', 'owners do not allow this', findings);
