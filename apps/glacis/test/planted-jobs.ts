import { randomBytes, randomInt } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '@glacis/cli';
import { AGENT_TOKEN_VARIABLE } from '@glacis/contracts';
import {
  claimJob,
  exportOwnerKey,
  JobsApi,
  makeOwnerKey,
  parseClaimLink,
  prepare,
  readJob,
  register,
  storeShares,
  tableOf,
  x25519KeyPair,
  type ColumnDeclaration,
  type Registered,
  type ShareOfParty,
} from '@glacis/shares';
import { temporaryFolder } from '@glacis/testbed';
import type { Secret } from './marked.js';

const marker = (): string => `m${randomBytes(9).toString('hex')}`;

/** Where the service keeps query and schema of a job, and to whom it shows them. */
const inQuery =
  /^(db jobs\.(jobs\.(sql|schema)|plans\.plan|agent_instructions\.body)|\w+ reads job of the \w+ job|share prints)$/;
const inKeyFile = /^file jobs\/parties\/JOB\/\d\/\w+\.key$/;

/** A job as its analyst has it. */
export interface PlantedJob {
  id: string;
  token: string;
}

/** What is wrong with the files of an owner: a cell that is none, or values that the schema does not have. */
export type Fault = 'bad cell' | 'out of range';

interface ByHand {
  /** At the first registration of a name. */
  token?: string;
  links: string[];
}

type Answer = Partial<Record<string, string>>;

/** Jobs whose secrets are all known: they are planted, or caught where they are handed out. */
export class PlantedJobs {
  readonly secrets: Secret[] = [];
  /** What commands have printed, and what was answered to wrong requests. */
  readonly said = new Map<string, string>();
  private readonly wards = [marker(), marker()].toSorted();
  private readonly literal = marker();

  constructor(
    /** Address of the suite. */
    public door: string,
    private readonly dataDir: string,
  ) {
    this.plant('entry of a dictionary', this.wards, inQuery);
    this.plant('literal of a query', [this.literal], inQuery);
  }

  plant(kind: string, values: readonly Secret['value'][], at?: RegExp): void {
    for (const value of values) this.secrets.push({ kind, value, ...(at && { at }) });
  }

  /** The newest secret of a kind. */
  one(kind: string): string {
    return String(this.secrets.findLast((secret) => secret.kind === kind)?.value);
  }

  /** Asked for twice, as by somebody who has lost the first answer. */
  async create(): Promise<PlantedJob> {
    const { publicKey, privateKey } = await x25519KeyPair();
    this.plant('result key', [privateKey]);
    const body = {
      analysis_name: 'pay by ward',
      query_sql: `SELECT ward, COUNT(*) AS n, SUM(pay) AS total FROM people WHERE name <> '${this.literal}' GROUP BY ward`,
      security_level: 'semi',
      cloud_providers: ['aws', 'gcp', 'azure'],
      schema: {
        name: { type: 'VARCHAR', length: 40 },
        ward: { type: 'VARCHAR', length: 40, dictionary: this.wards },
        pay: 'cent',
      },
      result_key: publicKey,
    };
    const headers = { 'idempotency-key': randomBytes(6).toString('hex') };
    const first = await this.ask('POST', '/create_job', { body, headers });
    this.said.set('answer again', await this.ask('POST', '/create_job', { body, headers }));
    const { job_id: id = '', analyst_token: token = '' } = JSON.parse(first) as Answer;
    this.plant('token of an analyst', [token]);
    return { id, token };
  }

  /** As the owner page does: with a signed policy, and sealed to the parties. */
  async shareSealed(job: PlantedJob, dataOwner: string): Promise<void> {
    const { claim = '' } = parseClaimLink(await this.invite(job, dataOwner)) ?? {};
    const key = await makeOwnerKey(true);
    this.plant('owner key', [(await exportOwnerKey(key)).d]);
    const { token } = await claimJob(new JobsApi(this.door), claim, key);
    this.plant('token of an owner', [token]);
    const api = new JobsApi(this.door, token);
    const owner = { jobId: job.id, dataOwner, key, table: null };
    const { job: read } = await readJob(api, job.id);
    const grant = { job: read, policy: tableOf(read).needed, consentRawRows: false };
    const registered = await register(api, owner, { grant });
    const files = await this.filesOf(job, registered);
    await storeShares(api, owner, files, async ({ url, headers, bytes }) => {
      this.plantLink(url);
      return (await fetch(url, { method: 'PUT', headers, body: bytes })).status;
    });
  }

  /** As a client of QueryShield does: by name alone; what passes through the service is sealed by it. */
  async shareByHand(job: PlantedJob, data_owner: string, fault?: Fault): Promise<ByHand> {
    const body = { job_id: job.id, data_owner };
    const answer = await this.ask('POST', '/register_data_owner', { body });
    const registered = JSON.parse(answer) as Registered;
    const { owner_token: token, presigned_urls } = registered;
    if (token) this.plant('token of an owner', [token]);
    const links = presigned_urls.map(String);
    const files = await this.filesOf(job, registered, fault);
    for (const [i, link] of links.entries()) {
      this.plantLink(link);
      await fetch(link, { method: 'PUT', body: files[i]?.bytes });
    }
    return { token, links };
  }

  /** By the command line, whose output is kept. */
  async shareByCommand(job: PlantedJob, owner: string): Promise<void> {
    const link = await this.invite(job, owner);
    const folder = await temporaryFolder();
    const file = join(folder, 'data.csv');
    writeFileSync(file, this.csv());
    await this.command('share', file, '--claim', link, '--yes', '--keep', join(folder, 'kept'));
  }

  private async command(...argv: string[]): Promise<void> {
    let text = '';
    const stream = { write: (part: string) => (text += part) };
    const streams = { stdout: stream, stderr: stream };
    const code = await main(['--server', this.door, 'jobs', ...argv], streams);
    this.said.set(`${argv[0]} prints`, text);
    if (code !== 0) throw new Error(`jobs ${argv[0]}: exit ${code}`);
  }

  /** Keys that parties keep, and tokens that running ones were started with. Gives the processes. */
  catchParties({ id }: PlantedJob): number[] {
    const folder = join(this.dataDir, 'jobs', 'parties', id);
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const keys = names.filter((name) => name.endsWith('.key'));
    const text = (name: string): string => readFileSync(join(folder, name), 'utf8').trim();
    this.plant('key of a party', keys.map(text), inKeyFile);
    const records = names.filter((name) => /^\d\.json$/.test(name));
    return records.map((name) => {
      const { pid } = JSON.parse(text(name)) as { pid: number };
      const variables = environmentOf(pid);
      const token = variables.find((each) => each.startsWith(`${AGENT_TOKEN_VARIABLE}=`));
      if (token) this.plant('token of a party', [token.slice(AGENT_TOKEN_VARIABLE.length + 1)]);
      return pid;
    });
  }

  /** The text of an answer. */
  async ask(
    method: string,
    path: string,
    { body, headers, token }: { body?: unknown; headers?: object; token?: string } = {},
  ): Promise<string> {
    const reply = await fetch(new URL(path, this.door), {
      method,
      body: typeof body === 'string' || body === undefined ? body : JSON.stringify(body),
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...headers,
      },
    });
    return reply.text();
  }

  private async invite({ id, token }: PlantedJob, data_owner: string): Promise<string> {
    const answer = await this.ask('POST', `/jobs/${id}/owners`, { body: { data_owner }, token });
    const { claim_url: link = '' } = JSON.parse(answer) as Answer;
    this.plant('claim', [parseClaimLink(link)?.claim ?? '']);
    return link;
  }

  private plantLink(url: string): void {
    this.plant('signature of a link', [new URL(url).searchParams.get('X-Glacis-Signature') ?? '']);
  }

  /** Twelve rows; every cell is planted. */
  private csv(): string {
    const rows = Array.from({ length: 12 }, (_, i) => ({
      name: marker(),
      ward: this.wards[i % 2],
      pay: randomInt(1_000_000_000, 2_147_483_647),
    }));
    this.plant(
      'cell',
      rows.flatMap(({ name, pay }) => [name, pay]),
    );
    return ['name,ward,pay', ...rows.map((row) => Object.values(row).join())].join('\n');
  }

  /** Share files of planted rows: salt and shares are planted too. */
  private async filesOf(
    { id, token }: PlantedJob,
    registered: Registered,
    fault?: Fault,
  ): Promise<ShareOfParty[]> {
    const { job } = await readJob(new JobsApi(this.door, token), id);
    this.plant('salt', [Buffer.from(registered.salt ?? '', 'base64url')], /^db jobs\.jobs\.salt$/);
    const table = tableOf(job);
    if (fault === 'out of range') Object.assign(table.columns, { ward: this.longer() });
    const made = await prepare(this.csv(), table, registered);
    if ('findings' in made) throw new Error('the rows do not fit');
    for (const { bytes } of made.files) this.plantShares(Buffer.from(bytes).toString());
    return fault === 'bad cell' ? made.files.map((file) => this.withText(file)) : made.files;
  }

  /** A dictionary in which the wards have places that the one of the job does not have. */
  private longer(): ColumnDeclaration {
    return { type: 'VARCHAR', length: 40, dictionary: ['a', 'b', 'c', ...this.wards] };
  }

  private withText(file: ShareOfParty): ShareOfParty {
    const cell = marker();
    this.plant('cell', [cell]);
    const text = Buffer.from(file.bytes).toString();
    return { ...file, bytes: new Uint8Array(Buffer.from(text.replace(/[^,]+\n$/, `${cell}\n`))) };
  }

  private plantShares(file: string): void {
    const lines = file.trim().split('\n').slice(1);
    const words = lines.map((line) => line.split(',').map(Number));
    const long = words.flat().filter((word) => Math.abs(word) >= 1e8);
    this.plant('share as text', long.slice(0, 60));
    const column = words.map((row) => row[0] ?? 0).slice(0, 4);
    this.plant('shares as bytes', [Buffer.from(Int32Array.from(column).buffer)]);
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
