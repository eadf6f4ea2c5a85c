import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { notFound } from '../http/problem.js';
import { isAbsent, Place, toldOf } from './place.js';
import { illegalPath, segmentsOf } from './request-path.js';

const titlePattern = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** The directory that the claims of flows are mounted in, each under its own name. */
export class FlowRoot {
  constructor(private readonly root: string) {}

  /** Rejects while the directory cannot be read. */
  check(): Promise<unknown> {
    return realpath(this.root);
  }

  /** @throws {Problem} 404 where there is no such flow */
  async flow(title: string): Promise<Flow> {
    if (!titlePattern.test(title)) throw notFound('Flow not found');
    try {
      const folder = join(await realpath(this.root), title);
      if ((await lstat(folder)).isDirectory()) return new Flow(title, folder);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
    throw notFound('Flow not found');
  }
}

/** The directory of one flow, out of which nothing leads. */
export class Flow {
  constructor(
    readonly title: string,
    /** Its real path. */
    readonly folder: string,
  ) {}

  /**
   * What lies at a path of the query, held; the caller closes it.
   * @param what the detail where nothing is there
   * @throws {Problem} 400 where the path, or a symbolic link on it, leads out of the flow
   */
  async place(path: string, what: string): Promise<Place> {
    const full = join(this.folder, ...segmentsOf(path));
    const place = await Place.at(full).catch((error: unknown) => {
      throw toldOf(error, what);
    });
    if (place.liesIn(this.folder)) return place;
    await place.close();
    throw illegalPath(path);
  }

  /** What a symbolic link means, without an error: undefined where it leads outside or nowhere, or to neither. */
  async typeOf(path: Buffer): Promise<'file' | 'directory' | undefined> {
    const place = await Place.at(path).catch(() => undefined);
    if (!place) return undefined;
    const type = place.liesIn(this.folder) ? place.type : 'other';
    await place.close();
    return type === 'other' ? undefined : type;
  }
}
