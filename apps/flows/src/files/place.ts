import { constants, type BigIntStats } from 'node:fs';
import { open, readlink, type FileHandle } from 'node:fs/promises';
import { notFound, Problem } from '../http/problem.js';

/** Linux's O_PATH, which Node does not name: holds a place without opening what is there, such as a FIFO or a device. */
const O_PATH = 0o10000000;

/**
 * A place in the file system that stays the same one, whatever happens to the names that led to it. So it can be judged
 * first and read then, with no moment between in which a symbolic link could come in its way.
 */
export class Place {
  private constructor(
    private readonly handle: FileHandle,
    /** Where it really lies, all symbolic links resolved. */
    readonly real: string,
    readonly stats: BigIntStats,
  ) {}

  /** @param path followed to its end through all symbolic links. @throws what `open` does */
  static async at(path: string | Buffer): Promise<Place> {
    const handle = await open(path, O_PATH);
    try {
      const real = await readlink(linkOf(handle));
      return new Place(handle, real, await handle.stat({ bigint: true }));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The path by which the place itself is reached. */
  get path(): string {
    return linkOf(this.handle);
  }

  get type(): 'file' | 'directory' | 'other' {
    if (this.stats.isDirectory()) return 'directory';
    return this.stats.isFile() ? 'file' : 'other';
  }

  /** @param folder real path of a directory */
  liesIn(folder: string): boolean {
    return this.real === folder || this.real.startsWith(`${folder}/`);
  }

  /** Opens the file itself for reading; the caller closes it. */
  read(): Promise<FileHandle> {
    return open(this.path, constants.O_RDONLY);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

const linkOf = (handle: FileHandle): string => `/proc/self/fd/${handle.fd}`;

const absent = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);

/** Whether a failure of the file system means that there is nothing of that name. */
export function isAbsent(error: unknown): boolean {
  return absent.has((error as NodeJS.ErrnoException).code ?? '');
}

/** What the caller is told of a failure of the file system. */
export function toldOf(error: unknown, what: string): unknown {
  if (isAbsent(error)) return notFound(what);
  const denied = ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
  return denied ? new Problem('forbidden', 'Permission denied') : error;
}
