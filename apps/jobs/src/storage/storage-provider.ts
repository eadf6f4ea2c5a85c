import type { Readable } from 'node:stream';
import type { InputsReply } from '@glacis/contracts';
import type { ByteSource } from '@glacis/shares';

/** How far one call may go: it ends with the first of the two. */
export interface Call {
  signal?: AbortSignal;
  /** Milliseconds; the call fails with `timeout` after them. */
  timeoutMs: number;
}

/** In-buckets are written by owners and read by one party; out-buckets the other way round. */
export type Direction = 'in' | 'out';

/** What a bucket carries, so that whoever finds it knows whose it is (jobs.md 6.1). */
export interface BucketTags {
  job: string;
  party: number;
  attempt: number;
  expires: Date;
}

export interface NewBucket {
  /** Of `bucketName`. */
  name: string;
  tags: BucketTags;
  /**
   * Raw X25519 key as base64url that a local bucket seals to while it stores; null where uploads stay as they are,
   * as in out-buckets, whose writers seal by themselves.
   */
  sealKey: string | null;
}

/** One bucket as the provider knows it. */
export interface FoundBucket {
  name: string;
  tags: BucketTags;
}

export interface UploadRequest {
  bucket: string;
  key: string;
  /** Seconds that the URLs hold. */
  expiresIn: number;
  /** Longest object. */
  maxBytes: number;
  /** The exact length where the owner has declared it. */
  bytes?: number;
}

/** Two ways to store one object, of which one succeeds and once only. */
export interface SignedUpload {
  /** Taken by a PUT with no more than `Content-Type: text/csv` and `x-ms-blob-type: BlockBlob`. */
  plainUrl: string;
  /** Taken by a PUT with `headers`, which hold it to the rules of jobs.md 6.2 as far as the provider can. */
  url: string;
  headers: Readonly<Record<string, string>>;
}

export interface OwnObject {
  bucket: string;
  key: string;
  body: ByteSource;
  /** Longest object; with more it fails with TooLongError. Clouds get it in one piece. */
  maxBytes: number;
}

export interface ObjectVersion {
  bucket: string;
  key: string;
  /** Absent: the one that is there, for results, which are stored once. */
  version?: string;
}

/** Where a party reads a version itself, without a signature, and as whom. */
export type ObjectPlace = Pick<InputsReply['files'][number], 'url' | 'identity'>;

export interface StoredBytes {
  size: number;
  stream: Readable;
}

export interface ReadRequest {
  bucket: string;
  key: string;
  expiresIn: number;
}

/** An object and the version of it that counts, whatever is stored later. */
export interface StoredObject {
  bucket: string;
  key: string;
  version: string;
  /** Bytes as they were uploaded. */
  size: number;
  etag: string;
}

/** Where shares and results lie (jobs.md 10.1). Every method fails with {@link ProviderError}. */
export interface StorageProvider {
  /** The code behind the name of the provider. */
  readonly driver: 'local' | 'aws' | 'gcp' | 'azure';
  /** `nominal`: one credential reaches the data of several parties (jobs.md 1). */
  readonly isolation: 'process' | 'nominal' | 'account';
  /** Addresses of the accounts that its buckets lie in; none on this host. Names that share one are one provider (jobs.md 5). */
  readonly accounts: readonly string[];

  /** Private, encrypted, open to PUT from any page. One that is there with the same tags counts as made. */
  createBucket(bucket: NewBucket, call: Call): Promise<void>;
  signUpload(upload: UploadRequest, call: Call): Promise<SignedUpload>;
  /** A URL of a result; input objects never get one. */
  signRead(read: ReadRequest, call: Call): Promise<string>;
  /** Stores what the coordinator writes or passes on, as policies and results; `exists` when the key is taken. */
  put(object: OwnObject, call: Call): Promise<void>;
  /** One version, sealed if it lies there sealed; `denied` for inputs under `account`, which only their party may read. */
  read(object: ObjectVersion, call: Call): Promise<StoredBytes>;
  /** Where its party reads a pinned version by an identity of its own; null where {@link read} passes it on. */
  placeOf(object: Required<ObjectVersion>): ObjectPlace | null;
  /** The objects whose keys begin so, by key, each in the version that counts. */
  list(bucket: string, prefix: string, call: Call): Promise<StoredObject[]>;
  /** What is stored from now on is refused, or is at least no version that counts. */
  freeze(bucket: string, call: Call): Promise<void>;
  unfreeze(bucket: string, call: Call): Promise<void>;
  /** Lets one party read its in-bucket and write its out-bucket; `identity` in the provider's own form. */
  grantParty(grant: { bucket: string; identity: string }, call: Call): Promise<void>;
  /** With all its versions. One that is not there counts as deleted. */
  deleteObject(object: { bucket: string; key: string }, call: Call): Promise<void>;
  /** With all that is in it. One that is not there counts as deleted. */
  deleteBucket(bucket: string, call: Call): Promise<void>;
  /** Every bucket of ours that is there, or those of one job. */
  listByTag(tags: { job?: string }, call: Call): Promise<FoundBucket[]>;
}
