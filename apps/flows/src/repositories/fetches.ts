import type { Logger } from '@glacis/observability';
import type { Git } from './git.js';
import type { Repository } from './repository.js';

export interface FetchesOptions {
  git: Git;
  logger: Logger;
  /** Flows that are clones made by the operator: git settings of these are obeyed, since no component can write them. */
  remotes: readonly string[];
  /** Milliseconds between two fetches of a flow. */
  everyMs: number;
  /** Milliseconds of a clock that only goes forward. */
  now?: () => number;
}

interface Fetch {
  at: number;
  done: Promise<boolean>;
}

const protocols = ['http', 'https', 'ssh', 'git'];
const refspecs = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'];
const flags = ['--quiet', '--prune', '--no-recurse-submodules', '--no-write-fetch-head'];

/** Keeps clones close to their remotes: who reads one that was not fetched for a while fetches it first. */
export class Fetches {
  private readonly last = new Map<string, Fetch>();
  private readonly now: () => number;

  constructor(private readonly options: FetchesOptions) {
    this.now = options.now ?? (() => performance.now());
  }

  /** Whether what is in the repository is what the remote had, at most `everyMs` ago. Requests share a fetch. */
  async isFresh(repository: Repository): Promise<boolean> {
    if (!repository.clone) return true;
    const { title } = repository.flow;
    if (!this.options.remotes.includes(title)) return false;
    const last = this.last.get(title);
    if (last && this.now() - last.at <= this.options.everyMs) return last.done;
    const fetch = { at: this.now(), done: this.fetch(repository) };
    this.last.set(title, fetch);
    return fetch.done;
  }

  private async fetch(repository: Repository): Promise<boolean> {
    const { git, logger } = this.options;
    try {
      await git.text(repository, ['fetch', ...flags, 'origin', ...refspecs], { protocols });
      return true;
    } catch (error) {
      logger.warn({ flow: repository.flow.title, err: error }, 'a remote cannot be fetched');
      return false;
    }
  }
}
