import type { Repository } from './repository.js';

/** What the operator has to know of charts; `apps/operator` reads it from repositories, tests from fixtures. */
export interface ChartSource {
  /** Repository Secrets that are not in the graph's Namespace are looked for here. */
  readonly operatorNamespace: string;
  /** The chart that `ingressNeeded` adds; `repo` as in a component. */
  readonly auxChart: { repo: string; name: string; version: string };
  /** Data of a Secret, decoded; undefined where there is none. */
  secret(namespace: string, name: string): Promise<Record<string, string> | undefined>;
  /**
   * Text of the chart's annotation `petuum.com/rampartComponent`; undefined where it has none.
   * Rejects with a `ChartError` and with nothing else.
   */
  annotation(chart: ResolvedChart): Promise<string | undefined>;
}

/** A chart whose repository and credentials are known. */
export interface ResolvedChart {
  repository: Repository;
  name: string;
  /** SemVer 2 or `latest`; absent: the newest release. */
  version?: string;
}

/** A chart that could not be read, now: the operator tries again. */
export class ChartError extends Error {
  override readonly name = 'ChartError';

  constructor(
    /** `REPO_FAILED`: the repository; `CHART_FAILED`: the chart in it. */
    readonly code: 'REPO_FAILED' | 'CHART_FAILED',
    message: string,
  ) {
    super(message);
  }
}
