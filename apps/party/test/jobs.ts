import { randomUUID } from 'node:crypto';
import type { JobFacts, PolicyDocument, Report, SignedPolicy } from '@glacis/contracts';
import { DEFAULTS, resultColumns } from '@glacis/mpc';
import {
  canonicalJson,
  makeOwnerKey,
  openResult,
  readTable,
  seal,
  signPolicy,
  split,
  unseal,
  writeCsv,
  x25519KeyPair,
  type Json,
  type OpenedResult,
  type OwnerKey,
  type Receipt,
  type TableSchema,
} from '@glacis/shares';
import { mkdir } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { join } from 'node:path';
import { temporaryFolder } from '@glacis/testbed';
import { Steps } from '../src/agent/steps.js';
import { WorkLoop } from '../src/agent/work-loop.js';
import { Coordinator } from '../src/coordinator/coordinator.js';
import { compileJob } from '../src/job/compiled-job.js';
import { sha256Of } from '../src/job/digest.js';
import { enrol } from '../src/keys/enrol.js';
import { keptKey } from '../src/keys/kept-key.js';
import { TestCoordinator } from './coordinator.js';

export interface TestOwner {
  name: string;
  csv: string;
  key: OwnerKey;
  policy: PolicyDocument['policy'];
  consent?: boolean;
}

export interface TestJobOptions {
  sql: string;
  schema: TableSchema;
  owners: Omit<TestOwner, 'key'>[];
  options?: Partial<JobFacts['options']>;
  sealed?: boolean;
}

const text = async (source: AsyncIterable<Uint8Array>): Promise<Buffer> =>
  buffer(Readable.from(source));

/** One job with its coordinator and three agents of this process, as far as a test takes it. */
export class TestJob {
  readonly facts: JobFacts;
  readonly owners: TestOwner[] = [];
  sealKeys: string[] = [];
  /** Of the agents, in party order. */
  folders: string[] = [];
  private readonly files = new Map<string, string>();
  private readonly ending = new AbortController();
  private readonly loops: Promise<void>[] = [];
  private readonly resultKey: Awaited<ReturnType<typeof x25519KeyPair>>;

  private constructor(
    readonly coordinator: TestCoordinator,
    private readonly asked: TestJobOptions,
    resultKey: Awaited<ReturnType<typeof x25519KeyPair>>,
  ) {
    this.resultKey = resultKey;
    this.facts = {
      job_id: coordinator.jobId,
      attempt: 1,
      parties: 3,
      query_sql: asked.sql,
      schema: asked.schema as JobFacts['schema'],
      options: { ...DEFAULTS, ...asked.options },
      owners: asked.owners.map(({ name }) => ({ owner: name, table: null })),
      hashed: {},
      result_key: asked.sealed === false ? null : resultKey.publicKey,
    };
  }

  /** Agents are enrolled and have made their keys. */
  static async start(asked: TestJobOptions): Promise<TestJob> {
    const coordinator = await TestCoordinator.start(randomUUID());
    const job = new TestJob(coordinator, asked, await x25519KeyPair());
    for (const owner of asked.owners) job.owners.push({ ...owner, key: await makeOwnerKey(false) });
    const folder = await temporaryFolder();
    job.folders = [0, 1, 2].map((party) => join(folder, String(party)));
    for (const [party, own] of job.folders.entries()) await job.startAgent(party, own);
    const made = await coordinator.instructAll('keys', () => ({}));
    job.sealKeys = made.map(({ result }) => (result as { seal_key: string }).seal_key);
    return job;
  }

  async close(): Promise<void> {
    this.ending.abort();
    this.coordinator.close();
    await Promise.all(this.loops);
  }

  /** Splits every owner's rows, seals the files and pins them, with the policies that their owners sign. */
  async upload(): Promise<void> {
    for (const [index, owner] of this.owners.entries()) await this.uploadOf(owner, index);
  }

  /** Deploy, inputs and the comparison of duplicates; the reports of the last that was done. */
  async prepare(): Promise<Report[]> {
    const { coordinator, facts } = this;
    const deployed = await coordinator.instructAll('deploy', () => ({ facts }));
    if (deployed.some(({ status }) => status === 'failed')) return deployed;
    const loaded = await coordinator.instructAll('inputs', () => ({}));
    if (loaded.some(({ status }) => status === 'failed')) return loaded;
    const sets = loaded.map(({ result }) => (result as { sets: object[] }).sets);
    return coordinator.instructAll('check', (party) => {
      const next = (party + 1) % 3;
      return { macs: [{ party: next, sets: sets[next] }] };
    });
  }

  /** Runs and exports, and opens what the parties have stored. */
  async open(): Promise<OpenedResult> {
    const ran = await this.coordinator.instructAll('run', () => ({}));
    const exported = await this.coordinator.instructAll('export', () => ({}));
    for (const { failure } of [...ran, ...exported])
      if (failure) throw new Error(`${failure.code}: ${failure.message}`);
    const files = await Promise.all(
      this.coordinator.agents.map(async ({ result = Buffer.of() }) =>
        this.facts.result_key === null ? result : text(unseal(this.resultKey.privateKey)([result])),
      ),
    );
    const { plan } = compileJob(this.facts).compiled;
    return openResult(files, resultColumns(plan), {
      jobId: this.facts.job_id,
      queryHash: sha256Of(this.facts.query_sql),
      authorities: [this.coordinator.ca.pem],
      receipts: exported.map(({ result }) => (result as { receipt: Receipt }).receipt),
    });
  }

  /** Puts another file of one owner in its place before one party. */
  async replace(
    party: number,
    owner: string,
    change: (lines: string[]) => string[],
    { sha256, sealFor = party }: { sha256?: string; sealFor?: number } = {},
  ): Promise<void> {
    const agent = this.coordinator.agents[party]!;
    const { files, ...rest } = agent.inputs;
    const pinned = files.find((each) => each.owner === owner)!;
    const lines = this.files.get(`${party} ${owner}`)!.trimEnd().split('\n');
    const content = Buffer.from(change(lines).join('\n'));
    const object = await text(seal(this.sealKeys[sealFor]!)([content]));
    agent.objects.set(pinned.url, object);
    const changed = { ...pinned, bytes: object.length, rows: null, sha256: sha256 ?? null };
    agent.inputs = { ...rest, files: files.map((each) => (each === pinned ? changed : each)) };
  }

  /** All share files, as owners made them. */
  get contents(): string[] {
    return [...this.files.values()];
  }

  /** The document that an owner signs as the job stands. */
  document({ name, policy, consent = false }: TestOwner): PolicyDocument {
    const { plan } = compileJob(this.facts).compiled;
    return {
      consent_raw_rows: consent,
      data_owner: name,
      issued_at: '2026-11-22T07:00:00.000Z',
      job_id: this.facts.job_id,
      limits: plan.limits,
      policy,
      query_hash: sha256Of(this.facts.query_sql),
      schema_hash: sha256Of(canonicalJson({ schema: this.asked.schema } as unknown as Json)),
      table: null,
    };
  }

  async signed(owner: TestOwner, changes: Partial<PolicyDocument> = {}): Promise<SignedPolicy> {
    const document = { ...this.document(owner), ...changes };
    const signature = await signPolicy(document, owner.key);
    return { document, owner_key: owner.key.publicKey, signature };
  }

  private async startAgent(party: number, folder: string): Promise<void> {
    await mkdir(folder);
    const config = { coordinator: this.coordinator.url, coordinator_ca: this.coordinator.ca.pem };
    const coordinator = new Coordinator(config.coordinator, config.coordinator_ca);
    const macKey = await keptKey(folder, 'mac');
    const enrolled = await enrol(coordinator, this.coordinator.token(party), macKey.publicKey);
    const engine = sha256Of('program');
    const steps = new Steps({ folder, config, coordinator, enrolled, macKey, engine });
    const loop = new WorkLoop(coordinator, steps).run(this.ending.signal);
    this.loops.push(loop.finally(() => coordinator.close()));
  }

  private async uploadOf(owner: TestOwner, index: number): Promise<void> {
    const format = { table: this.asked.schema };
    const read = await readTable(owner.csv, this.asked.schema, { maxRows: 1000 });
    if ('findings' in read) throw new Error('the rows of the test are not good');
    const files = split(read.table, format).map(writeCsv);
    const signed = owner.policy || owner.consent ? [await this.signed(owner)] : [];
    for (const [party, agent] of this.coordinator.agents.entries()) {
      const url = `/objects/${index}`;
      this.files.set(`${party} ${owner.name}`, Buffer.from(files[party]!).toString());
      const object = await text(seal(this.sealKeys[party]!)([files[party]!]));
      agent.objects.set(url, object);
      const file = {
        owner: owner.name,
        table: null,
        set: 1,
        url,
        identity: null,
        bytes: object.length,
        sha256: sha256Of(files[party]!),
        rows: read.table.rows,
      };
      const { files: pinned, policies, owner_keys: keys } = agent.inputs;
      const bound = signed.length > 0 ? { [owner.name]: owner.key.publicKey } : {};
      agent.inputs = {
        files: [...pinned, file],
        policies: [...policies, ...signed],
        owner_keys: { ...keys, ...bound },
      };
    }
  }
}
