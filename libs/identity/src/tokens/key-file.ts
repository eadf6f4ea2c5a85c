import { createPrivateKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const fileName = 'signing-key.pem';

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
 * The Ed25519 key of a folder (PKCS#8 in PEM, mode 0600), made when there is none. Several starters at once get the
 * same key, and a crash at any moment leaves either no key or a whole one.
 * @throws {KeyFileError} when others may read the file, or it holds no Ed25519 key
 */
export async function signingKeyOf(folder: string): Promise<KeyObject> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, fileName);
  return (await readKey(path)) ?? (await makeKey(folder, path));
}

async function readKey(path: string): Promise<KeyObject | undefined> {
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

/** Written whole under another name first; `link` then gives it its name only when nobody was faster. */
async function makeKey(folder: string, path: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await file.sync();
    await link(draft, path).catch(unless('EEXIST'));
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  await syncFolder(folder);
  return (await readKey(path)) ?? privateKey;
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
