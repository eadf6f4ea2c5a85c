import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  claimJob,
  digest,
  exportOwnerKey,
  importOwnerKey,
  JobsApi,
  makeOwnerKey,
  parseClaimLink,
  type Owner,
  type OwnerKey,
  type OwnerKeyFile,
  type Registered,
  type ShareOfParty,
} from '@glacis/shares';
import { UsageError } from '../client.js';
import type { Context } from '../context.js';
import { jobsApi } from './calls.js';
import { Kept } from './keep.js';
import type { KeepFlags } from './options.js';

export interface SessionFlags extends KeepFlags {
  claim?: string;
  job?: string;
  owner?: string;
}

/** Share files that were made and not all stored yet. */
export interface Pending {
  table: string | null;
  /** Digest of the file that they were made of. */
  source: string;
  set: number;
  files: { sha256: string; rows: number }[];
}

/** What an owner keeps of a job. */
export interface KeptOwner {
  key: OwnerKeyFile;
  data_owner?: string;
  token?: string;
  pending?: Pending;
}

/** An owner at work on one job: key, token, and uploads that were begun. */
export interface Session {
  api: JobsApi;
  jobId: string;
  dataOwner: string;
  key: OwnerKey;
  kept: Kept<KeptOwner>;
}

interface Door {
  server: string;
  jobId: string;
  /** Whoever holds the link, or says the name. */
  secret: string;
  claim?: string;
  owner?: string;
}

function doorOf({ server }: Context, { claim: link, job, owner }: SessionFlags): Door {
  if (link !== undefined) {
    const parts = parseClaimLink(link);
    if (!parts) throw new UsageError('--claim: this is no claim link of a job');
    return { ...parts, secret: parts.claim };
  }
  if (job === undefined || owner === undefined)
    throw new UsageError('give --claim, or --job and --owner');
  return { server, jobId: job, secret: owner, owner };
}

/**
 * Opens the session of an owner. The key is on the disk before the claim is used, the token right after, so that the same
 * command goes on where an earlier one ended.
 */
export async function openSession(context: Context, flags: SessionFlags): Promise<Session> {
  const door = doorOf(context, flags);
  const folder = createHash('sha256').update(`${door.jobId}\0${door.secret}`).digest('hex');
  const kept = new Kept<KeptOwner>(join(flags.keep, folder.slice(0, 32), 'owner.json'));
  const state = kept.read() ?? { key: await exportOwnerKey(await makeOwnerKey(true)) };
  kept.write(state);
  const key = await importOwnerKey(state.key);
  if (door.claim !== undefined && state.token === undefined) {
    const claimed = await claimJob(new JobsApi(door.server), door.claim, key);
    Object.assign(state, { token: claimed.token, data_owner: claimed.data_owner });
    kept.write(state);
  }
  const dataOwner = state.data_owner ?? door.owner ?? '';
  const plainApi = door.claim === undefined ? jobsApi(context, flags) : new JobsApi(door.server);
  const api = state.token === undefined ? plainApi : plainApi.with(state.token);
  return { api, jobId: door.jobId, dataOwner, key, kept };
}

export const ownerOf = ({ jobId, dataOwner, key }: Session, table: string | null): Owner => ({
  jobId,
  dataOwner,
  key,
  table,
});

/** Keeps the token that mode `open` gives with the first registration of a name. */
export function remember(session: Session, { owner_token: token }: Registered): void {
  if (token === undefined) return;
  keep(session, { data_owner: session.dataOwner, token });
  session.api = session.api.with(token);
}

function keep({ kept }: Session, change: Partial<KeptOwner>): void {
  const state = kept.read();
  if (state) kept.write({ ...state, ...change });
}

const shareFile = ({ kept }: Session, party: number): string => `${kept.file}.share-${party}`;

/** Share files lie beside the key until all are stored: a set that was begun can only end with the same shares. */
export async function keepShares(
  session: Session,
  made: Omit<Pending, 'files'>,
  shares: readonly ShareOfParty[],
): Promise<Pending> {
  for (const [party, { bytes }] of shares.entries())
    await writeFile(shareFile(session, party), bytes, { mode: 0o600 });
  const files = shares.map(({ sha256, rows }) => ({ sha256, rows }));
  const pending = { ...made, files };
  keep(session, { pending });
  return pending;
}

/** @returns undefined where one of them is gone or not what was written */
export async function keptShares(
  session: Session,
  { files }: Pending,
): Promise<ShareOfParty[] | undefined> {
  const found: ShareOfParty[] = [];
  for (const [party, { sha256, rows }] of files.entries()) {
    const bytes = readIfThere(shareFile(session, party));
    if (!bytes || (await digest(bytes)) !== sha256) return undefined;
    found.push({ bytes, sha256, rows });
  }
  return found;
}

function readIfThere(file: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(readFileSync(file));
  } catch {
    return undefined;
  }
}

export function forgetShares(session: Session, { files }: Pending): void {
  keep(session, { pending: undefined });
  for (const party of files.keys()) rmSync(shareFile(session, party), { force: true });
}
