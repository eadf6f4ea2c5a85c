import type { ResolvedChart } from '@glacis/graphs';
import { createHash, randomUUID } from 'node:crypto';
import { linkSync, rmSync, unlinkSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isFixed, type FetchedChart } from './fetch-chart.js';

/** Archives that are kept; those that were asked for longest ago go first. */
const maxKept = 256;

/**
 * Archives of charts of fixed versions, so that a repository is asked for each of them once and not for every release.
 * Who has other credentials asks it himself.
 */
export class ChartArchives {
  private readonly kept = new Set<string>();

  private constructor(
    private readonly folder: string,
    private readonly limit: number,
  ) {}

  /** @param folder what others have left in it is removed */
  static async open(folder: string, limit = maxKept): Promise<ChartArchives> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new ChartArchives(folder, limit);
  }

  /** The chart as it was fetched before, else as it is fetched now. */
  async get(chart: ResolvedChart, fetch: () => Promise<FetchedChart>): Promise<FetchedChart> {
    if (!isFixed(chart)) return fetch();
    const name = nameOf(chart);
    const kept = this.isKept(name) ? this.copyOf(name) : undefined;
    if (kept) return kept;
    const fetched = await fetch();
    this.keep(name, fetched);
    return fetched;
  }

  /** One that is asked for is the last to go. */
  private isKept(name: string): boolean {
    const isKept = this.kept.delete(name);
    if (isKept) this.kept.add(name);
    return isKept;
  }

  /** A name of its own for the same file, which stays when the kept one goes; undefined: that has gone. */
  private copyOf(name: string): FetchedChart | undefined {
    const path = join(this.folder, `${randomUUID()}.tgz`);
    try {
      linkSync(this.pathOf(name), path);
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
    return { path, remove: async () => unlinkSync(path) };
  }

  private keep(name: string, { path }: FetchedChart): void {
    try {
      linkSync(path, this.pathOf(name));
    } catch (error) {
      // It is kept already.
      if (!isSystemError(error, 'EEXIST')) throw error;
    }
    this.kept.add(name);
    const [oldest] = this.kept;
    if (this.kept.size <= this.limit || oldest === undefined) return;
    this.kept.delete(oldest);
    rmSync(this.pathOf(oldest), { force: true });
  }

  private pathOf(name: string): string {
    return join(this.folder, `${name}.tgz`);
  }
}

const nameOf = ({ repository, name, version }: ResolvedChart): string =>
  createHash('sha256')
    .update(JSON.stringify([repository, name, version]))
    .digest('hex');

const isSystemError = (error: unknown, code: string): boolean =>
  (error as NodeJS.ErrnoException).code === code;
