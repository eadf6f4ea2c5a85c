import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSecretFile } from '@glacis/runtime';

/** The paths inside the data folder: the only thing that a run leaves behind. */
export interface DataFolder {
  root: string;
  /** Key-encryption key: 32 random bytes, made on the first start. */
  kekFile: string;
  /** Bearer token of the first administrator. */
  adminTokenFile: string;
  /** Local buckets and party agents of jobs. */
  jobsDir: string;
}

/** The key-encryption key is gone, and with it every private key in the database: only a backup of it helps. */
export class KekMissingError extends Error {
  constructor(file: string) {
    super(`${file} is missing, but this folder was in use before: restore the file from a backup`);
  }
}

/**
 * Opens the data folder and makes the key-encryption key on the very first start, which is told by the token: it is
 * made after it. Where somebody has deleted both, the keys in the database refuse the new one.
 * @throws {KekMissingError} when an earlier start had one
 */
export async function openDataFolder(root: string): Promise<DataFolder> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const folder = {
    root,
    kekFile: join(root, 'kek'),
    adminTokenFile: join(root, 'admin.token'),
    jobsDir: join(root, 'jobs'),
  };
  if (!existsSync(folder.kekFile)) {
    if (existsSync(folder.adminTokenFile)) throw new KekMissingError(folder.kekFile);
    await writeSecretFile(folder.kekFile, randomBytes(32));
  }
  return folder;
}
