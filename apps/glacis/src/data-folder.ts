import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** The paths inside the data folder: the only thing that a run leaves behind. */
export interface DataFolder {
  root: string;
  /** Key-encryption key: 32 random bytes, made on the first start. */
  kekFile: string;
  /** Keys of the local token issuer. */
  issuerDir: string;
  /** Bearer token of the first administrator. */
  adminTokenFile: string;
}

/** The key-encryption key is gone, and with it every private key in the database: only a backup of it helps. */
export class KekMissingError extends Error {
  constructor(file: string) {
    super(`${file} is missing, but this folder was in use before: restore the file from a backup`);
  }
}

/**
 * Opens the data folder and makes the key-encryption key on the very first start, which is told by the issuer's keys:
 * they are made after it.
 * @throws {KekMissingError} when an earlier start had one
 */
export async function openDataFolder(root: string): Promise<DataFolder> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const folder = {
    root,
    kekFile: join(root, 'kek'),
    issuerDir: join(root, 'issuer'),
    adminTokenFile: join(root, 'admin.token'),
  };
  if (!existsSync(folder.kekFile)) {
    if (existsSync(folder.issuerDir)) throw new KekMissingError(folder.kekFile);
    await writeSecretFile(folder.kekFile, randomBytes(32));
  }
  return folder;
}

export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes a file of mode 0600 that is there whole or not at all, also after a power cut. */
export async function writeSecretFile(file: string, content: string | Buffer): Promise<void> {
  const unfinished = `${file}.new`;
  const handle = await open(unfinished, 'w', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
}
