/** What a job and its service add to the query text (jobs.md 1.2, 2.2). */
export interface CompileOptions {
  /** Least members of a group that is shown; 1 or more, default 5. */
  minGroupSize: number;
  /** Owners that a group needs; 1 to 16, default 1. */
  minOwners: number;
  /** Largest share of one owner in a group; 1 to 100, default 100 (off). */
  maxSharePercent: number;
  /** `jobs.residual`: from two owners on no owner may learn the rest of a group; default true. */
  residual: boolean;
  /** `jobs.extremes`: `refuse` refuses MIN and MAX for all; default `policy`. */
  extremes: 'policy' | 'refuse';
  /** `jobs.raw_rows`; default `consent`. `refuse` is decided at submit, not here. */
  rawRows: 'allow' | 'consent' | 'refuse';
  /** `jobs.engine.avgScale`: 0 to 4, default 2. */
  avgScale: number;
  /** `jobs.engine.maxRows`: rows of a table over all owners, default 262144. */
  maxRows: number;
}

export const DEFAULTS: Readonly<CompileOptions> = {
  minGroupSize: 5,
  minOwners: 1,
  maxSharePercent: 100,
  residual: true,
  extremes: 'policy',
  rawRows: 'consent',
  avgScale: 2,
  maxRows: 262_144,
};
