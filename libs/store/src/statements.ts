import type { QueryConfig } from 'pg';
import { isOutdatedPlan } from './errors.js';

/** More texts than this are a sign of SQL made up at run time, which is not worth keeping in the server. */
const mostNames = 500;

/**
 * Gives every parametrised SQL text a name, under which each connection has the server parse it, and soon also plan it,
 * only once.
 */
export class Statements {
  private readonly names = new Map<string, string>();
  private generation = 0;

  /** What `pg` is to run. Without parameters a text may hold several statements, and is not prepared. */
  prepare(sql: string, params?: readonly unknown[]): QueryConfig {
    const values = params as unknown[] | undefined;
    return { text: sql, values, name: values?.length ? this.nameOf(sql) : undefined };
  }

  /**
   * True when a prepared text no longer fits its tables, as another process has migrated them. It then gets a new
   * name, so running it again helps.
   */
  outdatedBy(error: unknown): boolean {
    const outdated = isOutdatedPlan(error);
    if (outdated) {
      this.names.clear();
      this.generation++;
    }
    return outdated;
  }

  private nameOf(sql: string): string | undefined {
    const known = this.names.get(sql);
    if (known !== undefined || this.names.size >= mostNames) {
      return known;
    }
    const name = `s${this.generation}_${this.names.size}`;
    this.names.set(sql, name);
    return name;
  }
}
