import { digest, register, storeShares } from '@glacis/shares';
import type { Context } from '../context.js';
import { send } from './put.js';
import { contentOf } from './request.js';
import { openSession, ownerOf, remember, type SessionFlags } from './session.js';

export interface ByHandFlags extends SessionFlags {
  table?: string;
}

/** `glacis jobs register`: opens an upload set, signs nothing, and prints its links. */
export async function registerOwner(context: Context, flags: ByHandFlags): Promise<void> {
  const session = await openSession(context, flags);
  const owner = ownerOf(session, flags.table ?? null);
  const registered = await register(session.api, owner, {});
  remember(session, registered);
  const { owner_token: _, ...shown } = registered;
  context.show({ object: shown });
}

/** `glacis jobs upload FILE…`: share files that were made elsewhere, in party order, into the newest set. */
export async function uploadShares(
  context: Context,
  files: readonly string[],
  flags: ByHandFlags,
): Promise<void> {
  const session = await openSession(context, flags);
  const shares = await Promise.all(
    files.map(async (file) => {
      const csv = contentOf(file);
      const bytes = new TextEncoder().encode(csv);
      return { bytes, sha256: await digest(bytes), rows: csv.trimEnd().split('\n').length - 1 };
    }),
  );
  const owner = ownerOf(session, flags.table ?? null);
  await storeShares(session.api, owner, shares, (body, party) => send(context, body, party));
  const list = shares.map(({ sha256, rows }, party) => ({ party, rows, sha256 }));
  context.show({ list, columns: ['party', 'rows', 'sha256'] });
}
