import type { Bucket, File, GetSignedUrlConfig, Storage } from '@google-cloud/storage';
import type { Clock } from '@glacis/runtime';
import { accountAt } from '../account-at.js';
import { collected } from '../bounded.js';
import { directionOf, readBucketName, resultBucket } from '../names.js';
import { checkRead, unless, within } from '../provider-calls.js';
import type {
  Call,
  FoundBucket,
  NewBucket,
  ObjectPlace,
  ObjectVersion,
  OwnObject,
  ReadRequest,
  SignedUpload,
  StorageProvider,
  StoredBytes,
  StoredObject,
  UploadRequest,
} from '../storage-provider.js';
import { checkSameTags, foundBucket, readTags, writeTags } from '../tags.js';
import { roles, without, withMember, type Policy } from './bindings.js';
import { openClients, type Clients, type GcpOptions } from './clients.js';

const dayMs = 86_400_000;

/** Opens Cloud Storage with the credentials that the settings name. */
export async function openGcp(options: GcpOptions, clock: Clock): Promise<GcpStorage> {
  return new GcpStorage(options, await openClients(options), clock);
}

/** Buckets of Google Cloud Storage (jobs.md 6.2, 10.3). */
export class GcpStorage implements StorageProvider {
  readonly driver = 'gcp';

  constructor(
    private readonly options: GcpOptions,
    private readonly clients: Clients,
    private readonly clock: Clock,
  ) {}

  get accounts(): string[] {
    return [accountAt(this.endpoint)];
  }

  get isolation(): 'nominal' | 'account' {
    return this.options.isolation;
  }

  async createBucket(bucket: NewBucket, call: Call): Promise<void> {
    const { janitor, signerMember } = this.clients;
    await within(call, async () => {
      await unless(['exists'], () => janitor.createBucket(bucket.name, this.metadataOf(bucket)));
      const [{ labels }] = await janitor.bucket(bucket.name).getMetadata();
      checkSameTags(bucket, readTags(textOnly(labels ?? {})));
    });
    // Results are stored by the signer as well.
    if (this.isolation === 'nominal')
      await this.changePolicy(bucket.name, call, (all) =>
        withMember(all, roles.create, signerMember),
      );
  }

  async signUpload(upload: UploadRequest, call: Call): Promise<SignedUpload> {
    const { bucket, key, bytes, maxBytes, expiresIn } = upload;
    const held = {
      'x-goog-if-generation-match': '0',
      'x-goog-content-length-range': bytes === undefined ? `0,${maxBytes}` : `${bytes},${bytes}`,
    };
    const file = this.clients.signer.bucket(bucket).file(key);
    const sign = (extensionHeaders: Record<string, string>): Promise<string> =>
      this.sign(file, { action: 'write', extensionHeaders }, expiresIn);
    return within(call, async () => ({
      plainUrl: await sign({}),
      url: await sign(held),
      headers: { 'content-type': 'text/csv', ...held },
    }));
  }

  async signRead({ bucket, key, expiresIn }: ReadRequest, call: Call): Promise<string> {
    const file = this.clients.janitor.bucket(resultBucket(bucket)).file(key);
    return within(call, () => this.sign(file, { action: 'read' }, expiresIn));
  }

  async put({ bucket, key, body, maxBytes }: OwnObject, call: Call): Promise<void> {
    const bytes = await collected(body, maxBytes);
    const file = this.clients.signer.bucket(bucket).file(key);
    const preconditionOpts = { ifGenerationMatch: 0 };
    const options = { resumable: false, validation: 'md5', preconditionOpts } as const;
    await within(call, () => file.save(bytes, options));
  }

  async read({ bucket, key, version }: ObjectVersion, call: Call): Promise<StoredBytes> {
    checkRead(bucket, this.isolation);
    const options = version === undefined ? {} : { generation: version };
    const file = this.bucket(bucket).file(key, options);
    const [{ size }] = await within(call, () => file.getMetadata());
    return { size: Number(size), stream: file.createReadStream({ validation: false }) };
  }

  placeOf({ bucket, key, version }: Required<ObjectVersion>): ObjectPlace | null {
    if (this.isolation === 'nominal') return null;
    const query = new URLSearchParams({ alt: 'media', generation: version });
    const path = `/storage/v1/b/${bucket}/o/${encodeURIComponent(key)}`;
    return { url: `${this.endpoint}${path}?${query.toString()}`, identity: { cloud: 'gcp' } };
  }

  /** Of each key the oldest generation, which nobody can replace. */
  async list(bucket: string, prefix: string, call: Call): Promise<StoredObject[]> {
    const query = { prefix, versions: true };
    const [files] = await within(call, () => this.bucket(bucket).getFiles(query));
    const byKey = new Map<string, StoredObject>();
    for (const { name: key, metadata } of files) {
      const version = String(metadata.generation);
      const known = byKey.get(key);
      if (known !== undefined && BigInt(known.version) < BigInt(version)) continue;
      const [size, etag] = [Number(metadata.size), metadata.etag ?? ''];
      byKey.set(key, { bucket, key, version, size, etag });
    }
    return [...byKey.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Under `account` the pins do it alone: who may change policies could also let itself read. */
  async freeze(bucket: string, call: Call): Promise<void> {
    const { signerMember } = this.clients;
    if (this.isolation === 'account') return;
    await this.changePolicy(bucket, call, (all) => without(all, roles.create, signerMember));
  }

  async unfreeze(bucket: string, call: Call): Promise<void> {
    const { signerMember } = this.clients;
    if (this.isolation === 'account') return;
    await this.changePolicy(bucket, call, (all) => withMember(all, roles.create, signerMember));
  }

  /** @param grant `identity` is the e-mail address of a service account */
  async grantParty(
    { bucket, identity }: { bucket: string; identity: string },
    call: Call,
  ): Promise<void> {
    if (this.isolation === 'account') return;
    const role = directionOf(bucket) === 'in' ? roles.read : roles.create;
    const member = `serviceAccount:${identity}`;
    await this.changePolicy(bucket, call, (all) => withMember(all, role, member));
  }

  async deleteObject({ bucket, key }: { bucket: string; key: string }, call: Call): Promise<void> {
    await within(call, async () => {
      const [files] = await this.bucket(bucket).getFiles({ prefix: key, versions: true });
      for (const file of files.filter(({ name }) => name === key))
        await file.delete({ ignoreNotFound: true });
    });
  }

  async deleteBucket(bucket: string, call: Call): Promise<void> {
    await within(call, () =>
      unless(['not_found'], async () => {
        await this.bucket(bucket).deleteFiles({ versions: true });
        await this.bucket(bucket).delete();
      }),
    );
  }

  async listByTag({ job }: { job?: string }, call: Call): Promise<FoundBucket[]> {
    const [buckets] = await within(call, () => this.clients.janitor.getBuckets());
    const ours = buckets.filter(({ name }) => readBucketName(name) !== undefined);
    const found = ours.map(({ name, metadata }) => {
      const tags = readTags(textOnly(metadata.labels ?? {}));
      return foundBucket(name, tags, new Date(metadata.timeCreated ?? 0));
    });
    return found.filter(
      (each) => each !== undefined && (job === undefined || each.tags.job === job),
    ) as FoundBucket[];
  }

  private get endpoint(): string {
    return this.options.endpoint ?? 'https://storage.googleapis.com';
  }

  private metadataOf({ tags }: NewBucket): Parameters<Storage['createBucket']>[1] {
    const age = Math.max(1, Math.ceil((tags.expires.getTime() - Date.now()) / dayMs) + 1);
    return {
      location: this.options.location,
      labels: writeTags(tags),
      versioning: { enabled: true },
      // Deleted is deleted: nothing is kept for seven days more, as it else would be.
      softDeletePolicy: { retentionDurationSeconds: 0 },
      iamConfiguration: {
        uniformBucketLevelAccess: { enabled: true },
        publicAccessPrevention: 'enforced',
      },
      cors: [{ origin: ['*'], method: ['PUT'], responseHeader: ['*'], maxAgeSeconds: 3600 }],
      lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age } }] },
    };
  }

  private async sign(
    file: File,
    config: Pick<GetSignedUrlConfig, 'action' | 'extensionHeaders'>,
    expiresIn: number,
  ): Promise<string> {
    const accessibleAt = this.clock.now();
    const expires = new Date(accessibleAt.getTime() + expiresIn * 1000);
    const [url] = await file.getSignedUrl({ ...config, version: 'v4', accessibleAt, expires });
    return url;
  }

  private async changePolicy(
    bucket: string,
    call: Call,
    change: (policy: Policy) => Policy,
  ): Promise<void> {
    await within(call, async () => {
      const { iam } = this.bucket(bucket);
      const [policy] = await iam.getPolicy();
      // With its etag, so that of two changes at once none is lost.
      await iam.setPolicy(change(policy));
    });
  }

  private bucket(name: string): Bucket {
    return this.clients.janitor.bucket(name);
  }
}

function textOnly(labels: Readonly<Record<string, string | null>>): Record<string, string> {
  const entries = Object.entries(labels).filter(([, value]) => value !== null);
  return Object.fromEntries(entries) as Record<string, string>;
}
