import { join } from 'node:path';
import { readIfThere, writeSecretFile } from '@glacis/runtime';
import { publicKeyOf, x25519KeyPair, type KeyPair } from '@glacis/shares';

/**
 * An X25519 key that outlives the process: owners seal to the one made at create, and a later attempt must open it. The
 * private half never leaves the directory of the agent.
 */
export async function keptKey(folder: string, name: string): Promise<KeyPair> {
  const file = join(folder, `${name}.key`);
  const known = await readIfThere(file);
  if (known !== null) return { privateKey: known, publicKey: await publicKeyOf(known) };
  const made = await x25519KeyPair();
  await writeSecretFile(file, made.privateKey);
  return made;
}
