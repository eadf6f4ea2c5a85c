import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const record = z.object({
  runId: z.string(),
  attempt: z.int(),
  expires: z.coerce.date(),
  pid: z.int().positive(),
  started: z.int().nonnegative(),
});

/** What is known of the last process of one party, also by a service that has begun since. */
export interface InstanceRecord extends z.infer<typeof record> {
  job: string;
  party: number;
}

/**
 * Folders of local parties: `<root>/<job>/<party>` is what the party may read and write and nobody else (mode 0700);
 * beside it lie the record of its process and what it said as it died.
 */
export class PartyFolders {
  constructor(private readonly root: string) {}

  of(job: string, party: number): string {
    return join(this.root, job, String(party));
  }

  stderrOf(job: string, party: number): string {
    return `${this.of(job, party)}.stderr`;
  }

  /** Accounts of parties must get through to their own folder, and see nothing on the way. */
  async make(job: string, party: number): Promise<string> {
    const folder = this.of(job, party);
    await mkdir(join(this.root, job), { recursive: true, mode: 0o711 });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  async remove(job: string): Promise<void> {
    await rm(join(this.root, job), { recursive: true, force: true });
  }

  async read(job: string, party: number): Promise<InstanceRecord | undefined> {
    const text = await readFile(this.recordOf(job, party), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    return { job, party, ...record.parse(JSON.parse(text)) };
  }

  async write({ job, party, ...rest }: InstanceRecord): Promise<void> {
    const path = this.recordOf(job, party);
    await writeFile(`${path}.new`, JSON.stringify(rest), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  async drop(job: string, party: number): Promise<void> {
    await rm(this.recordOf(job, party), { force: true });
    await rm(this.stderrOf(job, party), { force: true });
  }

  /** Of one job, or of all. */
  async list(job?: string): Promise<InstanceRecord[]> {
    const jobs = job === undefined ? await names(this.root) : [job];
    const lists = await Promise.all(jobs.map((each) => this.listOf(each)));
    return lists.flat();
  }

  private async listOf(job: string): Promise<InstanceRecord[]> {
    const files = await names(join(this.root, job));
    const parties = files.flatMap((name) => /^(\d)\.json$/.exec(name)?.[1] ?? []);
    const records = await Promise.all(parties.map((party) => this.read(job, Number(party))));
    return records.filter((each) => each !== undefined);
  }

  private recordOf(job: string, party: number): string {
    return `${this.of(job, party)}.json`;
  }
}

const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
