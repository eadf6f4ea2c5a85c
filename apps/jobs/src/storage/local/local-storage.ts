import type { ProviderName } from '../../jobs/job.entity.js';
import { resultBucket } from '../names.js';
import type {
  Call,
  FoundBucket,
  NewBucket,
  ObjectVersion,
  OwnObject,
  ReadRequest,
  SignedUpload,
  StorageProvider,
  StoredBytes,
  StoredObject,
  UploadRequest,
} from '../storage-provider.js';
import type { LocalBuckets } from './local-buckets.js';
import type { SignedUrls } from './signed-url.js';
import { storeObject } from './store-object.js';

export interface LocalParts {
  buckets: LocalBuckets;
  urls: SignedUrls;
  /** What links begin with, as `https://jobs.example.org`. */
  publicUrl: { readonly text: string };
}

/** Stands for a provider without credentials: folders of this host behind signed links (jobs.md 6.3). */
export class LocalStorage implements StorageProvider {
  readonly driver = 'local';
  readonly isolation = 'process';
  readonly accounts = [];

  constructor(
    private readonly provider: ProviderName,
    private readonly parts: LocalParts,
  ) {}

  async createBucket(bucket: NewBucket): Promise<void> {
    await this.parts.buckets.create({ ...bucket, provider: this.provider });
  }

  async signUpload(upload: UploadRequest): Promise<SignedUpload> {
    const { bucket, key, bytes, expiresIn } = upload;
    const maxBytes = bytes ?? upload.maxBytes;
    const url = this.link(this.parts.urls.sign({ op: 'put', bucket, key, maxBytes }, expiresIn));
    return { plainUrl: url, url, headers: { 'content-type': 'text/csv' } };
  }

  async signRead({ bucket, key, expiresIn }: ReadRequest): Promise<string> {
    const grant = { op: 'get', bucket: resultBucket(bucket), key } as const;
    return this.link(this.parts.urls.sign(grant, expiresIn));
  }

  async put({ body, ...object }: OwnObject): Promise<void> {
    await storeObject(this.parts.buckets, object, body);
  }

  async read({ bucket, key, version }: ObjectVersion): Promise<StoredBytes> {
    const handle = await this.parts.buckets.openObject(bucket, key, version);
    const { size } = await handle.stat();
    return { size, stream: handle.createReadStream() };
  }

  /** Agents have no folder but their own. */
  placeOf(): null {
    return null;
  }

  async list(bucket: string, prefix: string): Promise<StoredObject[]> {
    return this.parts.buckets.list(bucket, prefix);
  }

  async freeze(bucket: string): Promise<void> {
    await this.parts.buckets.freeze(bucket);
  }

  async unfreeze(bucket: string): Promise<void> {
    await this.parts.buckets.unfreeze(bucket);
  }

  /** Nobody but the service reads the folders; agents get their objects from it over mutual TLS. */
  async grantParty(): Promise<void> {}

  async deleteObject({ bucket, key }: { bucket: string; key: string }): Promise<void> {
    await this.parts.buckets.remove(bucket, key);
  }

  async deleteBucket(bucket: string): Promise<void> {
    await this.parts.buckets.delete(bucket);
  }

  async listByTag({ job }: { job?: string }, { signal }: Call): Promise<FoundBucket[]> {
    signal?.throwIfAborted();
    const all = await this.parts.buckets.all();
    return all.filter(({ tags }) => job === undefined || tags.job === job);
  }

  private link(target: string): string {
    return this.parts.publicUrl.text + target;
  }
}
