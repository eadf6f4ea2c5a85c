import type { ResolvedChart } from '@glacis/graphs';
import { fetchChart, type FetchedChart } from './fetch-chart.js';
import { isLocked, lastGood, type Release } from './releases.js';
import type { RenderedChart } from './rendered-chart.js';
import { helmRunner, type HelmOptions, type RunHelm } from './run-helm.js';
import type { WorkFolder } from './work-folder.js';

export interface ReleaseName {
  release: string;
  namespace: string;
}

export interface Install extends ReleaseName {
  /** Of a repository, or rendered here. */
  chart: ResolvedChart | RenderedChart;
  values: object;
  /** Of the Secrets that helm keeps of the release. */
  labels?: Readonly<Record<string, string>>;
}

export interface Installed {
  revision: number;
  status: string;
  description: string;
  /** Version: what `latest` was at that moment. */
  chart: { name: string; version: string };
}

const historyMax = '10';

/** helm(1) for one graph, in its work folder: each process is bounded, and stops with the signal. */
export class Helm {
  private readonly run: RunHelm;
  private readonly timeout: string;

  constructor(
    private readonly folder: WorkFolder,
    private readonly options: HelmOptions,
    signal?: AbortSignal,
  ) {
    this.run = helmRunner(folder, options, signal);
    this.timeout = `${options.installTimeoutSeconds}s`;
  }

  /** The same that stops with another signal. */
  until(signal: AbortSignal): Helm {
    return new Helm(this.folder, this.options, signal);
  }

  /**
   * Installs the release or upgrades it, and waits until its workloads are ready. A chart that was rendered here takes
   * over objects that are there without helm's marks.
   * @throws {HelmError}
   */
  async install({ chart, values, labels = {}, ...name }: Install): Promise<Installed> {
    const marks = labelFlags(labels);
    if ('path' in chart) {
      return this.upgrade(name, values, [chart.path, '--take-ownership', ...marks]);
    }
    const fetched = await this.fetch(chart);
    try {
      return await this.upgrade(name, values, [fetched.path, ...marks]);
    } finally {
      await fetched.remove();
    }
  }

  /** @throws {HelmError} */
  fetch(chart: ResolvedChart): Promise<FetchedChart> {
    const fetch = (): Promise<FetchedChart> => fetchChart(this.folder, this.run, chart);
    return this.options.archives?.get(chart, fetch) ?? fetch();
  }

  /** Chart.yaml of an archive, as helm reads it. @throws {HelmError} */
  metadata(chart: FetchedChart): Promise<string> {
    return this.run({ args: ['show', 'chart', chart.path] });
  }

  /**
   * Frees a release from the lock of a process that was killed: only for whoever knows that none runs.
   * @returns whether the release is still there
   * @throws {HelmError}
   */
  async unlock(locked: Release): Promise<boolean> {
    if (!isLocked(locked)) return true;
    const { name: release, namespace } = locked;
    const good = lastGood(locked);
    if (good === undefined) {
      await this.uninstall({ release, namespace });
      return false;
    }
    const args = ['rollback', release, String(good.revision), '--namespace', namespace];
    args.push('--timeout', this.timeout, '--history-max', historyMax);
    await this.run({ release, args });
    return true;
  }

  /**
   * Removes the release and waits until its objects are gone; one that is not there counts as removed. After a
   * `timeout` helm has forgotten the release although objects may be left.
   * @throws {HelmError}
   */
  async uninstall({ release, namespace }: ReleaseName): Promise<void> {
    const args = ['uninstall', release, '--namespace', namespace];
    args.push('--wait', '--timeout', this.timeout, '--ignore-not-found');
    await this.run({ release, args });
  }

  private async upgrade(
    { release, namespace }: ReleaseName,
    values: object,
    chart: string[],
  ): Promise<Installed> {
    const args = ['upgrade', '--install', release, ...chart, '--namespace', namespace];
    args.push('--atomic=false', '--wait', '--timeout', this.timeout, '--reset-values');
    args.push('--history-max', historyMax, '--values', '-', '--output', 'json');
    const input = JSON.stringify(values);
    return installedFrom(await this.run({ release, args, input }));
  }
}

function labelFlags(labels: Readonly<Record<string, string>>): string[] {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? [] : ['--labels', pairs.join(',')];
}

interface PrintedRelease {
  version: number;
  info: { status: string; description: string };
  chart: { metadata: { name: string; version: string } };
}

/** The text holds the values and is not told to anybody. */
function installedFrom(stdout: string): Installed {
  const { version: revision, info, chart } = JSON.parse(stdout) as PrintedRelease;
  const { name, version } = chart.metadata;
  return { revision, status: info.status, description: info.description, chart: { name, version } };
}
