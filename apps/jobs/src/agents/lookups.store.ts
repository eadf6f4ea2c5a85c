import type { Queryable } from '@glacis/store';
import type { ProviderName } from '../jobs/job.entity.js';

/** One share file of a party that counts. */
export interface InputPin {
  owner: string;
  table: string | null;
  number: number;
  bucket: string;
  key: string;
  version: string;
  bytes: number;
  sha256: string | null;
  rows: number | null;
}

interface DeclaredFile {
  sha256?: string;
  rows?: number;
}

/** In the order of the owners' registration, an owner's tables by name. */
export async function inputPins(db: Queryable, job: string, party: number): Promise<InputPin[]> {
  const rows = await db.query<InputPin & { size: string; files: DeclaredFile[] | null }>(
    `SELECT p.owner, p.table_name AS "table", p.number, p.bucket, p.key, p.version, p.size, s.files
     FROM pins p
     JOIN owners o ON o.job = p.job AND o.name = p.owner
     JOIN upload_sets s ON s.job = p.job AND s.owner = p.owner AND s.number = p.number
     WHERE p.job = $1 AND p.party = $2 AND p.kind = 'data'
     ORDER BY o.sequence, p.table_name COLLATE "C"`,
    [job, party],
  );
  return rows.map(({ size, files, ...pin }) => {
    const declared = files?.[party];
    return {
      ...pin,
      bytes: Number(size),
      sha256: declared?.sha256 ?? null,
      rows: declared?.rows ?? null,
    };
  });
}

export interface CountingPolicy {
  signedText: string;
  ownerKey: string;
  signature: string;
}

/** The signed documents that are pinned, which are those that count (jobs.md 8.1). */
export async function countingPolicies(db: Queryable, job: string): Promise<CountingPolicy[]> {
  return db.query<CountingPolicy>(
    `SELECT DISTINCT ON (y.owner, y.number) y.signed_text AS "signedText", o.key AS "ownerKey", y.signature
     FROM pins p
     JOIN policies y ON y.job = p.job AND y.owner = p.owner AND y.number = p.number
     JOIN owners o ON o.job = y.job AND o.name = y.owner
     WHERE p.job = $1 AND p.kind = 'policy' AND o.key IS NOT NULL`,
    [job],
  );
}

export async function boundKeys(db: Queryable, job: string): Promise<Record<string, string>> {
  const rows = await db.query<{ name: string; key: string }>(
    'SELECT name, key FROM owners WHERE job = $1 AND key IS NOT NULL',
    [job],
  );
  return Object.fromEntries(rows.map(({ name, key }) => [name, key]));
}

/** The out-bucket of a party. */
export async function resultPlace(db: Queryable, job: string, party: number): Promise<string> {
  const [row] = await db.query<{ bucket: string }>(
    'SELECT out_bucket AS bucket FROM job_parties WHERE job = $1 AND party = $2',
    [job, party],
  );
  if (row === undefined) throw new Error('the party has no out-bucket');
  return row.bucket;
}

/** In whose name a bucket of a job was made. */
export async function providerOfBucket(
  db: Queryable,
  bucket: string,
): Promise<ProviderName | undefined> {
  const [party] = await db.query<{ provider: ProviderName }>(
    'SELECT provider FROM job_parties WHERE in_bucket = $1 OR out_bucket = $1',
    [bucket],
  );
  return party?.provider;
}
