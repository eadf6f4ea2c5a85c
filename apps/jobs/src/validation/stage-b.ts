import type { Owner, UploadSet } from '../owners/owner.entity.js';
import { inputKey } from '../storage/names.js';
import type { StoredObject } from '../storage/storage-provider.js';
import { plainLength } from '../storage/local/sealed-length.js';
import type { Finding } from './finding.js';

/** One version of one object that the parties read. */
export interface Pin {
  party: number;
  owner: string;
  kind: 'data' | 'policy';
  /** Of the set, or of the policy. */
  number: number;
  tableName: string | null;
  bucket: string;
  key: string;
  version: string;
  size: number;
  etag: string;
}

/** What is stored: for each party its objects by key. */
export type Listing = readonly ReadonlyMap<string, StoredObject>[];

export interface Rules {
  maxBytes: number;
  /** Owners who stored nothing are passed over. */
  skipIdle: boolean;
}

export interface Effective {
  pins: Pin[];
  findings: Finding[];
}

/** The files of an owner's table that count, and what is wrong with them by name and size (`jobs.md` 8, stage B). */
export function effectiveFiles(
  owner: Owner,
  sets: readonly UploadSet[],
  listing: Listing,
  rules: Rules,
): Effective {
  const stored = sets.map((set) => ({ set, files: filesOf(owner, set, listing) }));
  const whole = stored.findLast(({ files }) => files.every((file) => file !== undefined));
  const chosen = listing.map((_, party) => {
    const from = whole ?? stored.findLast(({ files }) => files[party] !== undefined);
    return from && { set: from.set, file: from.files[party] };
  });
  if (rules.skipIdle && chosen.every((each) => each === undefined))
    return { pins: [], findings: [] };
  const checked = chosen.map((each, party) =>
    each?.file
      ? check(owner, { party, set: each.set, file: each.file }, rules)
      : missing(owner, party),
  );
  return {
    pins: checked.flatMap(({ pins }) => pins),
    findings: checked.flatMap(({ findings }) => findings),
  };
}

function filesOf(owner: Owner, set: UploadSet, listing: Listing): (StoredObject | undefined)[] {
  const key = inputKey(owner.dir, set.number, set.tableName);
  return listing.map((objects) => objects.get(key));
}

function missing({ name }: Owner, party: number): Effective {
  const message = 'the file has not been stored';
  return { pins: [], findings: [{ owner: name, party, code: 'missing_file', message }] };
}

function check(
  { name }: Owner,
  { party, set, file }: { party: number; set: UploadSet; file: StoredObject },
  { maxBytes }: Rules,
): Effective {
  const { bucket, key, version, size, etag } = file;
  const declared = set.files?.[party]?.bytes;
  const code = faultOf(size, declared, maxBytes);
  const pin: Pin = {
    party,
    owner: name,
    kind: 'data',
    number: set.number,
    tableName: set.tableName,
    bucket,
    key,
    version,
    size,
    etag,
  };
  const message = 'the size of the file is not as it should be';
  return { pins: [pin], findings: code ? [{ owner: name, party, code, message }] : [] };
}

/** An owner that seals by itself stores more than the file that it declares. */
function faultOf(size: number, declared: number | undefined, maxBytes: number): string | undefined {
  const plain = plainLength(size);
  if (size === 0) return 'empty_file';
  if (size > maxBytes && plain > maxBytes) return 'file_too_large';
  if (declared !== undefined && declared !== size && declared !== plain) return 'size_mismatch';
  return undefined;
}
