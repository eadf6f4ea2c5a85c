import { base64url, concat, type Bytes } from '../crypto/bytes.js';
import { readTable, type OwnerFinding } from '../owner/read-table.js';
import { SEALED_TYPE } from '../seal/key.js';
import { seal } from '../seal/seal.js';
import { writeCsv } from '../share/csv-write.js';
import type { PartyCount } from '../share/file.js';
import { textHasher } from '../share/hash.js';
import { shareHeader } from '../share/header.js';
import { split } from '../share/split.js';
import type { OwnerKey } from '../sign/ed25519.js';
import { signPolicy, type OwnerPolicy } from '../sign/policy.js';
import type { JobsApi } from './api.js';
import { digest, type JobTable, type OwnerJob } from './job.js';

/** The parts of a claim link, `https://server/ui/jobs/{id}/share#claim=…`; undefined where it is none. */
export function parseClaimLink(
  link: string,
): { server: string; jobId: string; claim: string } | undefined {
  if (!URL.canParse(link)) return undefined;
  const { origin, pathname, hash } = new URL(link);
  const jobId = /\/ui\/jobs\/([\w-]+)\/share$/.exec(pathname)?.[1];
  const claim = new URLSearchParams(hash.slice(1)).get('claim');
  return jobId && claim ? { server: origin, jobId, claim } : undefined;
}

/** What a claim link was changed for. */
export interface Claimed {
  job_id: string;
  data_owner: string;
  /** For this owner and job, 7 days at most. */
  token: string;
  expires_at: string;
}

/** Uses a claim link, which binds the key to the name of the owner for the life of the job. */
export function claimJob(api: JobsApi, claim: string, key: OwnerKey): Promise<Claimed> {
  return api.post('/jobs/claims', { claim, owner_key: key.publicKey });
}

/** Whose data, for which job and table. */
export interface Owner {
  jobId: string;
  dataOwner: string;
  key: OwnerKey;
  /** Null where the job has one table. */
  table: string | null;
}

/** Where one share file is PUT. */
export interface Upload {
  party: number;
  provider: string;
  url: string;
  headers: Record<string, string>;
  max_bytes: number;
  /** Null where the party has no key before submit. */
  seal_key: string | null;
}

/** Answer of `POST /register_data_owner` (jobs.md 2.3). */
export interface Registered {
  /** In party order; null where the file is stored already. */
  presigned_urls: (string | null)[];
  upload_set: number;
  /** The header of share files. */
  share_header: string[];
  /** Of files that are not stored. */
  uploads: Upload[];
  salt?: string;
  owner_token?: string;
  warnings?: { code: string; message: string }[];
}

/** What the owner grants; without it nothing is signed. */
export interface Grant {
  job: OwnerJob;
  policy: OwnerPolicy;
  consentRawRows: boolean;
}

export interface RegisterOptions {
  grant?: Grant;
  /** Sizes and digests of the share files, in party order. */
  files?: { bytes: number; sha256: string; rows: number }[];
  /** Links for what is missing of the newest set, instead of a new set. */
  resume?: boolean;
  now?: () => Date;
}

/** Registers with the service; a grant is signed over the query and the rules that the owner has read. */
export async function register(
  api: JobsApi,
  owner: Owner,
  { grant, files, resume, now = () => new Date() }: RegisterOptions,
): Promise<Registered> {
  return api.post('/register_data_owner', {
    job_id: owner.jobId,
    data_owner: owner.dataOwner,
    owner_key: owner.key.publicKey,
    ...(owner.table !== null && { table: owner.table }),
    ...(grant && (await signedGrant(owner, grant, now()))),
    ...(files && { files }),
    ...(resume && { resume }),
  });
}

async function signedGrant(
  { jobId, dataOwner, key, table }: Owner,
  { job, policy, consentRawRows }: Grant,
  now: Date,
): Promise<Record<string, unknown>> {
  const issuedAt = now.toISOString();
  const signature = await signPolicy(
    {
      consent_raw_rows: consentRawRows,
      data_owner: dataOwner,
      issued_at: issuedAt,
      job_id: jobId,
      limits: job.limits,
      policy,
      query_hash: job.query_hash,
      schema_hash: job.schema_hash,
      table,
    },
    key,
  );
  return {
    expect_query_hash: job.query_hash,
    policy,
    consent_raw_rows: consentRawRows,
    issued_at: issuedAt,
    signature,
  };
}

/** Rows of a table over all owners at the most, unless a service is set to others. */
export const MAX_ROWS = 262_144;

/**
 * Checks an owner's CSV before anything is asked of the service or of the owner.
 * @returns what is wrong; nothing of it leaves this process
 */
export async function checkFile(csv: string, { columns }: JobTable): Promise<OwnerFinding[]> {
  const salt = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const options = { maxRows: MAX_ROWS, hash: await textHasher(salt) };
  const read = await readTable(csv, columns, options);
  return 'findings' in read ? read.findings : [];
}

/** The share file of one party, and what the service is told of it. */
export interface ShareOfParty {
  bytes: Bytes;
  sha256: string;
  rows: number;
}

export type Prepared = { files: ShareOfParty[]; ignored: string[] } | { findings: OwnerFinding[] };

/** Checks an owner's CSV and makes the share files of all parties of it, under the header that the service asked for. */
export async function prepare(
  csv: string,
  { columns }: JobTable,
  { share_header: header, salt, presigned_urls: links }: Registered,
): Promise<Prepared> {
  const hash = salt === undefined ? undefined : await textHasher(salt);
  const read = await readTable(csv, columns, { maxRows: MAX_ROWS, hash });
  if ('findings' in read) return read;
  const parties = links.length as PartyCount;
  const hi = Object.keys(columns).filter((name) => header.includes(`${name}#hi_0`));
  const format = { table: columns, hi, parties };
  if (shareHeader(format).join() !== header.join())
    throw new Error('the service asks for other columns than the schema has');
  const files = [];
  for (const file of split(read.table, format)) {
    const bytes = writeCsv(file);
    files.push({ bytes, sha256: await digest(bytes), rows: file.rows });
  }
  return { files, ignored: read.ignored };
}

/** A body as it goes over the wire: sealed to the party where it has a key. */
export interface Body {
  url: string;
  headers: Record<string, string>;
  bytes: Bytes;
}

/** The body for one upload. */
export async function uploadBody(upload: Upload, bytes: Bytes): Promise<Body> {
  const { url, seal_key: sealKey } = upload;
  const given = Object.entries(upload.headers).map(([name, value]) => [name.toLowerCase(), value]);
  const headers = { 'content-type': 'text/csv', ...Object.fromEntries(given) };
  if (sealKey === null) return { url, headers, bytes };
  const parts: Bytes[] = [];
  for await (const part of seal(sealKey)([bytes])) parts.push(part);
  return { url, headers: { ...headers, 'content-type': SEALED_TYPE }, bytes: concat(...parts) };
}
