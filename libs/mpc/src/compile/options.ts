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
  /** Lower bounds out of policies (8.1): columns multiplied in an aggregate, at most 2. */
  maxDegree?: number;
  /** Different aggregates of one column; at most `minGroupSize` − 1 whatever stands here. */
  maxAggregates?: number;
  /** `jobs.extremes`: `refuse` refuses MIN and MAX for all; default `policy`. */
  extremes: 'policy' | 'refuse';
  /** `jobs.raw_rows`; default `consent`. `refuse` is decided at submit, not here. */
  rawRows: 'allow' | 'consent' | 'refuse';
  /** `jobs.engine.avgScale`: 0 to 4, default 2. */
  avgScale: number;
  /** `jobs.engine.maxRows`: rows of a table over all owners, default 262144. */
  maxRows: number;
  /** `jobs.engine.maxRounds`: most rounds of a run by the estimate, with tables of `maxRows`; absent: no bound. */
  maxRounds?: number;
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

/** Most columns that are multiplied in an aggregate (11.12). */
const MAX_DEGREE = 2;

/** What 11.12 bounds at compile: from k = 2 on, and whatever a policy bounds. */
export interface Bounds {
  degree: number;
  aggregates: number;
}

export function boundsOf({ minGroupSize, maxDegree, maxAggregates }: CompileOptions): Bounds {
  const grouped = minGroupSize >= 2;
  return {
    degree: Math.min(grouped ? MAX_DEGREE : Infinity, maxDegree ?? Infinity),
    aggregates: Math.min(grouped ? minGroupSize - 1 : Infinity, maxAggregates ?? Infinity),
  };
}

/** The same as limits are told (8.1): numbers also where nothing is bound. */
export function toldBounds(options: CompileOptions): Bounds {
  const { degree, aggregates } = boundsOf(options);
  return {
    degree: Math.min(degree, MAX_DEGREE),
    aggregates: Math.min(aggregates, Math.max(1, options.minGroupSize - 1)),
  };
}
