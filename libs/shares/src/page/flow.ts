import { ApiError, JobsApi } from '../client/api.js';
import { describeJob, policyLines, type Section } from '../client/describe.js';
import { readJob, tableOf, type JobTable, type JobToRead } from '../client/job.js';
import {
  checkFile,
  claimJob,
  parseClaimLink,
  prepare,
  register,
  type Body,
  type Owner,
  type ShareOfParty,
} from '../client/owner.js';
import { storeShares } from '../client/store.js';
import type { OwnerFinding } from '../owner/read-table.js';
import { makeOwnerKey, type OwnerKey } from '../sign/ed25519.js';
import { digest } from '../client/job.js';
import { utf8 } from '../crypto/bytes.js';

/** What a browser keeps of an owner: the key can sign, and nobody can read it out. */
export interface KeptOwner {
  key: OwnerKey;
  dataOwner?: string;
  token?: string;
}

/** What the page needs of its surroundings. */
export interface Ports {
  keys: {
    load: (id: string) => Promise<KeptOwner | undefined>;
    save: (id: string, owner: KeptOwner) => Promise<void>;
  };
  /** @param onSent 0 to 1 */
  put: (body: Body, onSent: (share: number) => void) => Promise<number>;
  show: (view: View) => void;
}

/** What the owner sees. */
export type View =
  | { step: 'reading' }
  | { step: 'failed'; message: string }
  | {
      step: 'read';
      dataOwner: string;
      sections: Section[];
      /** To choose from where there are two. */
      tables: string[];
      /** Single rows are asked for. */
      rawRows: boolean;
    }
  | { step: 'unfit'; findings: OwnerFinding[] }
  | { step: 'fits'; rows: number; granted: Section }
  | { step: 'sharing'; text: string; share: number }
  | { step: 'done'; set: number; files: Omit<ShareOfParty, 'bytes'>[] };

interface Chosen {
  csv: string;
  table: JobTable;
}

/** The page of an owner without its looks: reads the job, checks the file, and on approval signs, shares and uploads. */
export class OwnerPage {
  private api?: JobsApi;
  private owner?: KeptOwner & { dataOwner: string };
  private read?: JobToRead;
  private chosen?: Chosen;

  constructor(private readonly ports: Ports) {}

  /** @param link the address of the page, claim included */
  open(link: string): Promise<void> {
    return this.attempt(async () => {
      this.ports.show({ step: 'reading' });
      const parts = parseClaimLink(link);
      if (!parts) throw new Error('This address is no claim link. Ask the analyst for a new one.');
      const api = new JobsApi(parts.server);
      this.owner = await this.introduce(api, parts.claim);
      this.api = api.with(this.owner.token);
      this.read = await readJob(this.api, parts.jobId);
      const { job } = this.read;
      this.ports.show({
        step: 'read',
        dataOwner: this.owner.dataOwner,
        sections: describeJob(this.read),
        tables: Object.keys(job.tables ?? {}),
        rawRows: job.limits.raw_rows !== 'none',
      });
    });
  }

  /** Checks the file; nothing of it leaves the browser. */
  choose(csv: string, tableName?: string): Promise<void> {
    return this.attempt(async () => {
      if (!this.read) return;
      const table = tableOf(this.read.job, tableName);
      const findings = await checkFile(csv, table);
      this.chosen = findings.length === 0 ? { csv, table } : undefined;
      const granted = { title: 'You would sign', lines: policyLines(table.needed) };
      const rows = csv.trimEnd().split('\n').length - 1;
      this.ports.show(this.chosen ? { step: 'fits', rows, granted } : { step: 'unfit', findings });
    });
  }

  /** Signs what the query needs, shares the file and uploads it. */
  approve(consentRawRows: boolean): Promise<void> {
    return this.attempt(async () => {
      const { api, owner, read, chosen } = this;
      if (!api || !owner || !read || !chosen) return;
      const { csv, table } = chosen;
      const { job } = read;
      const { key, dataOwner } = owner;
      const whose: Owner = { jobId: job.job_id, dataOwner, key, table: table.name };
      this.ports.show({ step: 'sharing', text: 'Signing and splitting', share: 0 });
      const grant = { job, policy: table.needed, consentRawRows };
      const registered = await register(api, whose, { grant });
      const made = await prepare(csv, table, registered);
      if ('findings' in made) return this.ports.show({ step: 'unfit', findings: made.findings });
      await storeShares(api, whose, made.files, (body, party) =>
        this.send(body, party, made.files),
      );
      const files = made.files.map(({ sha256, rows }) => ({ sha256, rows }));
      this.ports.show({ step: 'done', set: registered.upload_set, files });
    });
  }

  private send(body: Body, party: number, files: readonly ShareOfParty[]): Promise<number> {
    const text = `Uploading the file of party ${party}`;
    return this.ports.put(body, (sent) =>
      this.ports.show({ step: 'sharing', text, share: (party + sent) / files.length }),
    );
  }

  /** Uses the claim once; later visits find key and token where the first one kept them. */
  private async introduce(api: JobsApi, claim: string): Promise<KeptOwner & { dataOwner: string }> {
    const { keys } = this.ports;
    const id = await digest(utf8(claim));
    const kept = (await keys.load(id)) ?? { key: await makeOwnerKey(false) };
    if (kept.token !== undefined && kept.dataOwner !== undefined)
      return { ...kept, dataOwner: kept.dataOwner };
    // The key is kept before it is bound: a page that is closed meanwhile must not lose it.
    await keys.save(id, kept);
    const { token, data_owner: dataOwner } = await claimJob(api, claim, kept.key);
    const owner = { ...kept, token, dataOwner };
    await keys.save(id, owner);
    return owner;
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const code = error instanceof ApiError && error.code ? ` (${error.code})` : '';
      const message = error instanceof Error ? error.message : String(error);
      this.ports.show({ step: 'failed', message: `${message}${code}` });
    }
  }
}
