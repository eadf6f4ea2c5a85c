import { setTimeout as sleep } from 'node:timers/promises';
import { appId } from '@glacis/graphs';
import { backoffMs } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { APPS_STORE, OutrunError, type AppsStore, type Edit } from '../store/apps-store.js';
import type { App, AppRef } from './app.entity.js';

/** What is to be done with an App, and what whoever asked is told. Without `edit` nothing is written. */
export interface Decision<T> {
  edit?: Edit;
  result: T;
}

/** Looks at an App as it is and decides. Called again when somebody else was faster. */
export type Decide<T> = (app: App | undefined) => Decision<T> | Promise<Decision<T>>;

/** Writers of other replicas that may be faster in a row. */
const maxAttempts = 20;
const delay = { initialMs: 5, factor: 2, maxMs: 200, jitter: 1 };

/**
 * Every change of an App goes through here: read, decide, write if nobody has written meanwhile, else again. Writers
 * in this process wait for one another, so that only those of other replicas can be faster.
 */
@Injectable()
export class Edits {
  private readonly lines = new Map<string, Promise<unknown>>();

  constructor(@Inject(APPS_STORE) private readonly store: AppsStore) {}

  /** @throws what `decide` throws, with nothing written */
  async run<T>(ref: AppRef, decide: Decide<T>): Promise<T> {
    const id = appId(ref);
    const before = this.lines.get(id) ?? Promise.resolve();
    const turn = before.then(() => this.attempts(ref, decide));
    const settled = turn.catch(() => undefined);
    this.lines.set(id, settled);
    try {
      return await turn;
    } finally {
      if (this.lines.get(id) === settled) this.lines.delete(id);
    }
  }

  private async attempts<T>(ref: AppRef, decide: Decide<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const { edit, result } = await decide(await this.store.find(ref));
      if (edit === undefined) return result;
      try {
        await this.store.commit(edit);
        return result;
      } catch (error) {
        if (!(error instanceof OutrunError) || attempt === maxAttempts) throw error;
        await sleep(backoffMs(delay, attempt));
      }
    }
  }
}
