import type { TableSchema } from '../schema/schema.js';

/** The words of one party's share file: every column of the header, in its order. */
export interface ShareFile {
  rows: number;
  /** By header name, such as `Age_0`; each has `rows` words. */
  columns: Map<string, Int32Array>;
}

export type PartyCount = 3 | 4;

/** Which files are well formed for a job. */
export interface ShareFormat {
  table: TableSchema;
  /** 32-bit columns that the plan adds up in 64 bits; their `#hi` columns may be there or not (jobs.md 7.2). */
  hi?: readonly string[];
  /** Default 3. */
  parties?: PartyCount;
}

export type ShareFileCode = 'bad_file' | 'header_mismatch' | 'bad_cell' | 'too_many_rows';

/** A share file that an agent refuses (jobs.md 8, stage C): names the place, never a value. */
export class ShareFileError extends Error {
  override readonly name = 'ShareFileError';

  constructor(
    readonly code: ShareFileCode,
    message: string,
    /** From 1, the header not counted. */
    readonly row?: number,
    /** Name in the header. */
    readonly column?: string,
  ) {
    super(message);
  }
}
