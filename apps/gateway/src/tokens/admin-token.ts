import type { TokenVerifier } from '@glacis/identity';
import { readIfThere, writeSecretFile } from '@glacis/runtime';
import type { INestApplicationContext } from '@nestjs/common';
import { TokensService } from './tokens.service.js';

/** Makes the first administrator's token unless the file holds one that is still good. */
export async function ensureAdminToken(
  app: INestApplicationContext,
  verifier: TokenVerifier,
  file: string,
): Promise<void> {
  const present = await readIfThere(file);
  if (present !== null && (await isGood(verifier, present.trim()))) return;
  const { token } = await app.get(TokensService, { strict: false }).createFirst();
  await writeSecretFile(file, `${token}\n`);
}

async function isGood(verifier: TokenVerifier, token: string): Promise<boolean> {
  try {
    await verifier.verify(`Bearer ${token}`);
    return true;
  } catch {
    return false;
  }
}
