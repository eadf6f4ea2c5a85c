import { randomBytes } from 'node:crypto';
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

/** Opens the data folder (mode 0700) and makes the key-encryption key when there is none. */
export async function openDataFolder(root: string): Promise<DataFolder> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const folder = {
    root,
    kekFile: join(root, 'kek'),
    issuerDir: join(root, 'issuer'),
    adminTokenFile: join(root, 'admin.token'),
  };
  if ((await readIfThere(folder.kekFile)) === null) {
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
