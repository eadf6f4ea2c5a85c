import { createPrivateKey, randomBytes, type KeyObject } from 'node:crypto';
import { link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The key file cannot be used. The operator repairs its mode, restores it, or deletes it to start with a new key. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  constructor(
    readonly code: 'exposed' | 'unreadable',
    readonly path: string,
    why: string,
    options?: ErrorOptions,
  ) {
    super(`${path}: ${why}`, options);
  }
}

/**
 * The Ed25519 key of a file (PKCS#8 in PEM, mode 0600); undefined when there is no file.
 * @throws {KeyFileError} when others may read the file, or it holds no Ed25519 key
 */
export async function readKey(path: string): Promise<KeyObject | undefined> {
  const mode = (await stat(path).catch(unless('ENOENT')))?.mode;
  if (mode === undefined) return undefined;
  if ((mode & 0o077) !== 0) {
    throw new KeyFileError('exposed', path, 'must not be readable by others, use mode 0600');
  }
  const key = parseKey(path, await readFile(path, 'utf8'));
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new KeyFileError('unreadable', path, 'is not an Ed25519 key');
}

function parseKey(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new KeyFileError('unreadable', path, 'is not a private key in PEM', { cause });
  }
}

export function pemOf(key: KeyObject): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}

/** Gives the file its content when nobody was faster; it is there whole or not at all. */
export function createFile(path: string, content: string): Promise<void> {
  return write(path, content, (draft) => link(draft, path).catch(unless('EEXIST')));
}

/** Puts the content in the place of what was there; a reader sees the one or the other, whole. */
export function replaceFile(path: string, content: string): Promise<void> {
  return write(path, content, (draft) => rename(draft, path));
}

/** Written whole under another name first, mode 0600, and on the disk before it gets its own. */
async function write(
  path: string,
  content: string,
  publish: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
    await publish(draft);
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  await syncFolder(dirname(path));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A handler that takes errors of one code and throws all others on. */
function unless(code: string): (error: NodeJS.ErrnoException) => undefined {
  return (error) => {
    if (error.code !== code) throw error;
  };
}
