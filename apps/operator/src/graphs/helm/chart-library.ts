import {
  ANNOTATIONS,
  ChartError,
  repositoryIdentity,
  type ChartSource,
  type ResolvedChart,
} from '@glacis/graphs';
import { parse } from 'yaml';
import { isFixed } from './fetch-chart.js';
import type { Helm } from './helm.js';
import { HelmError } from './helm-error.js';

export interface ChartLibraryOptions {
  /** In a work folder of its own. */
  helm: Helm;
  secret: ChartSource['secret'];
  operatorNamespace: string;
  auxChart: ChartSource['auxChart'];
}

type Annotation = string | undefined;

/** Annotations that are kept; the oldest go first. */
const maxKept = 10_000;

/** What the rules ask of charts, out of repositories. Annotations of fixed versions are asked for once. */
export class ChartLibrary implements ChartSource {
  private readonly kept = new Map<string, Promise<Annotation>>();

  constructor(private readonly options: ChartLibraryOptions) {}

  get operatorNamespace(): string {
    return this.options.operatorNamespace;
  }

  get auxChart(): ChartSource['auxChart'] {
    return this.options.auxChart;
  }

  secret(namespace: string, name: string): ReturnType<ChartSource['secret']> {
    return this.options.secret(namespace, name);
  }

  annotation(chart: ResolvedChart): Promise<Annotation> {
    if (!isFixed(chart)) return this.read(chart);
    const key = JSON.stringify([repositoryIdentity(chart.repository), chart.name, chart.version]);
    const kept = this.kept.get(key);
    if (kept) return kept;
    const reading = this.read(chart);
    this.keep(key, reading);
    return reading;
  }

  /** A failure is not kept. */
  private keep(key: string, reading: Promise<Annotation>): void {
    this.kept.set(key, reading);
    reading.catch(() => this.kept.delete(key));
    const [oldest] = this.kept.keys();
    if (this.kept.size > maxKept && oldest !== undefined) this.kept.delete(oldest);
  }

  private async read(chart: ResolvedChart): Promise<Annotation> {
    const { helm } = this.options;
    try {
      const fetched = await helm.fetch(chart);
      try {
        return annotationIn(await helm.metadata(fetched));
      } finally {
        await fetched.remove();
      }
    } catch (error) {
      throw chartError(error);
    }
  }
}

function chartError(error: unknown): ChartError {
  const code =
    error instanceof HelmError && error.code === 'repository' ? 'REPO_FAILED' : 'CHART_FAILED';
  return new ChartError(code, error instanceof Error ? error.message : String(error));
}

/** @param text of a Chart.yaml */
function annotationIn(text: string): Annotation {
  const metadata = parse(text) as { annotations?: Record<string, string> | null } | null;
  return metadata?.annotations?.[ANNOTATIONS.chart];
}
