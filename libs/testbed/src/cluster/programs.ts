import { access, constants, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** A program that the cluster tests need is not installed. Install the Debian package that the message names. */
export class MissingProgramError extends Error {
  readonly code = 'missing_program';

  constructor(
    readonly program: string,
    readonly debianPackage: string,
  ) {
    super(`${program} is missing: apt-get install ${debianPackage}`);
  }
}

/**
 * The path of a program of the machine.
 * @throws {MissingProgramError} when it is not in `PATH`
 */
export async function requireProgram(name: string, debianPackage: string): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && (await isRunnable(path))) return path;
  }
  throw new MissingProgramError(name, debianPackage);
}

const oldestPostgres = 15;

/**
 * The folder of the system's `postgres` and `initdb`: `GLACIS_POSTGRES_BIN`, else Debian's newest from version 15 on.
 * @throws {MissingProgramError} when there is none
 */
export async function findSystemPostgres(): Promise<string> {
  const packages = '/usr/lib/postgresql';
  const versions = (await readdir(packages).catch(() => []))
    .map(Number)
    .filter((version) => version >= oldestPostgres)
    .toSorted((a, b) => b - a);
  const own = process.env.GLACIS_POSTGRES_BIN;
  const places = own ? [own] : versions.map((version) => join(packages, String(version), 'bin'));
  for (const place of places) {
    if (await isRunnable(join(place, 'postgres'))) return place;
  }
  throw new MissingProgramError('postgres', `postgresql-${oldestPostgres}`);
}

async function isRunnable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
