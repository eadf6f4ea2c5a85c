import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One JSON document in a file that only its owner may read; written whole or not at all. */
export class Kept<T> {
  constructor(readonly file: string) {}

  read(): T | undefined {
    try {
      return JSON.parse(readFileSync(this.file, 'utf8')) as T;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  write(value: T): void {
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    const draft = `${this.file}.new`;
    writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    renameSync(draft, this.file);
  }

  remove(): void {
    rmSync(this.file, { force: true });
  }
}

/** What an analyst keeps of a job: without the private key nobody reads the result. */
export interface KeptJob {
  result_key: { publicKey: string; privateKey: string };
  /** Of the text that was sent: a result of any other query is not shown. */
  query_hash: string;
  /** Of mode `open`. */
  analyst_token?: string;
}

/** A job id is a UUID; anything else would be a path. */
export const keptJob = (dir: string, jobId: string): Kept<KeptJob> =>
  new Kept(join(dir, /^[\w-]{1,64}$/.test(jobId) ? jobId : 'unknown', 'analyst.json'));
