import { chown, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A program with its arguments, and the ids to start it under. */
export interface Command {
  file: string;
  args: string[];
  uid?: number;
  gid?: number;
}

/** Whom the database server runs as. Postgres refuses to run as root. */
export interface ServerUser {
  command(file: string, args: string[]): Command;
  /** Gives a file or folder that was just made to that user. */
  own(path: string): Promise<void>;
}

/**
 * The database server would have to run as another user, who cannot reach its files. Move the folder to a place
 * that all users may enter, or run as an ordinary user.
 */
export class UnreachableFolderError extends Error {
  readonly code = 'unreachable_folder';

  constructor(readonly path: string) {
    super(`the database server, which may not run as root, cannot enter ${path}`);
  }
}

/** `nobody`, on every Linux; needs no user to be made. */
const nobody = 65534;

const self: ServerUser = { command: (file, args) => ({ file, args }), own: async () => undefined };

/**
 * As an ordinary user: that user. As root: the owner of the database, `nobody` for a new one.
 * @param cluster the database folder, which need not exist
 * @param binary a program that the user must be able to run
 */
export async function serverUser(cluster: string, binary: string): Promise<ServerUser> {
  if (process.getuid?.() !== 0) {
    return self;
  }
  const owner = await stat(cluster).catch(() => ({ uid: nobody, gid: nobody }));
  const capability = await missingCapability(dirname(cluster), binary);
  return {
    command: (file, args) =>
      capability === null
        ? { file, args, uid: owner.uid, gid: owner.gid }
        : { file: 'setpriv', args: [...setprivArgs(owner, capability), file, ...args] },
    own: (path) => chown(path, owner.uid, owner.gid),
  };
}

function setprivArgs(owner: { uid: number; gid: number }, capability: string): string[] {
  return [
    `--reuid=${owner.uid}`,
    `--regid=${owner.gid}`,
    '--clear-groups',
    // Without this bit access(2), by which initdb looks for its programs, disregards capabilities.
    '--securebits=+no_setuid_fixup',
    `--inh-caps=+${capability}`,
    `--ambient-caps=+${capability}`,
    '--',
  ];
}

/** The bits of capabilities(7). */
const capabilities = { dac_override: 1n << 1n, dac_read_search: 1n << 2n } as const;
type Capability = keyof typeof capabilities;

/**
 * Below root's home, or another folder closed to others, the server keeps the one capability of root that lets it
 * pass, and no other. Null when the way is open anyhow.
 * @throws {UnreachableFolderError} when this process does not have that capability itself
 */
async function missingCapability(folder: string, binary: string): Promise<Capability | null> {
  const runnable = ((await stat(binary)).mode & 0o005) === 0o005;
  const closed = (await closedAncestor(folder)) ?? (await closedAncestor(dirname(binary)));
  if (runnable && closed === null) {
    return null;
  }
  const enough: Capability[] = runnable ? ['dac_read_search', 'dac_override'] : ['dac_override'];
  const mine = await effectiveCapabilities();
  const found = enough.find((each) => (mine & capabilities[each]) !== 0n);
  if (found === undefined) {
    throw new UnreachableFolderError(closed ?? binary);
  }
  return found;
}

async function closedAncestor(path: string): Promise<string | null> {
  const { mode } = await stat(path);
  if ((mode & 0o001) === 0) {
    return path;
  }
  const parent = dirname(path);
  return parent === path ? null : closedAncestor(parent);
}

async function effectiveCapabilities(): Promise<bigint> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
}
