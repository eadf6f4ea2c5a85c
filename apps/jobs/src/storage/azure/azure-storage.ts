import type { Readable } from 'node:stream';
import {
  BlobSASPermissions,
  type ContainerClient,
  type SignedIdentifier,
} from '@azure/storage-blob';
import type { Clock } from '@glacis/runtime';
import { accountAt } from '../account-at.js';
import { collected } from '../bounded.js';
import { directionOf, readBucketName, resultBucket } from '../names.js';
import { checkRead, unless, within } from '../provider-calls.js';
import { ProviderError } from '../provider-error.js';
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
import { openAccounts, type Account, type AzureOptions } from './accounts.js';

/** Opens the storage accounts with the credentials that the settings name. */
export async function openAzure(options: AzureOptions, clock: Clock): Promise<AzureStorage> {
  return new AzureStorage(options, await openAccounts(options, clock), clock);
}

/** The stored policy that links of uploads are bound to. All of its fields stand in the links. */
const uploads: SignedIdentifier = { id: 'glacis-uploads', accessPolicy: {} };

const page = {
  allowedOrigins: '*',
  allowedMethods: 'PUT',
  allowedHeaders: '*',
  exposedHeaders: 'ETag',
  maxAgeInSeconds: 3600,
};

/** Containers of Azure Blob Storage, in the account of their party (jobs.md 6.2, 10.3). */
export class AzureStorage implements StorageProvider {
  readonly driver = 'azure';
  private readonly opened = new Map<Account, Promise<unknown>>();

  constructor(
    private readonly options: AzureOptions,
    private readonly perParty: readonly Account[],
    private readonly clock: Clock,
  ) {}

  get accounts(): string[] {
    return this.options.endpoints.map(accountAt);
  }

  get isolation(): 'nominal' | 'account' {
    return this.options.isolation;
  }

  async createBucket(bucket: NewBucket, call: Call): Promise<void> {
    const account = this.accountOf(bucket.name);
    const container = account.service.getContainerClient(bucket.name);
    await within(call, async (abortSignal) => {
      await this.openToPages(account);
      const metadata = underscored(writeTags(bucket.tags));
      await unless(['exists'], () => container.create({ metadata, abortSignal }));
      const present = await container.getProperties({ abortSignal });
      checkSameTags(bucket, readTags(dashed(present.metadata)));
      if (directionOf(bucket.name) === 'in' && account.byKey)
        await container.setAccessPolicy(undefined, [uploads], { abortSignal });
    });
  }

  async signUpload({ bucket, key, expiresIn }: UploadRequest, call: Call): Promise<SignedUpload> {
    const url = await this.link({ bucket, key, expiresIn }, 'c', call);
    const headers = {
      'content-type': 'text/csv',
      'if-none-match': '*',
      'x-ms-blob-type': 'BlockBlob',
    };
    return { plainUrl: url, url, headers };
  }

  async signRead({ bucket, key, expiresIn }: ReadRequest, call: Call): Promise<string> {
    return this.link({ bucket: resultBucket(bucket), key, expiresIn }, 'r', call);
  }

  async put({ bucket, key, body, maxBytes }: OwnObject, call: Call): Promise<void> {
    const bytes = await collected(body, maxBytes);
    const blob = this.container(bucket).getBlockBlobClient(key);
    const conditions = { ifNoneMatch: '*' };
    await within(call, (abortSignal) =>
      blob.upload(bytes, bytes.length, { conditions, abortSignal }),
    );
  }

  async read({ bucket, key, version }: ObjectVersion, call: Call): Promise<StoredBytes> {
    checkRead(bucket, this.isolation);
    const conditions = version === undefined ? {} : { ifMatch: version };
    const blob = this.container(bucket).getBlobClient(key);
    return within(call, async (abortSignal) => {
      const found = await blob.download(0, undefined, { conditions, abortSignal });
      return { size: found.contentLength ?? 0, stream: found.readableStreamBody as Readable };
    });
  }

  placeOf({ bucket, key, version }: Required<ObjectVersion>): ObjectPlace | null {
    if (this.isolation === 'nominal') return null;
    const { url } = this.container(bucket).getBlobClient(key);
    return { url, identity: { cloud: 'azure', etag: version } };
  }

  async list(bucket: string, prefix: string, call: Call): Promise<StoredObject[]> {
    return within(call, async (abortSignal) => {
      const found: StoredObject[] = [];
      const blobs = this.container(bucket).listBlobsFlat({ prefix, abortSignal });
      for await (const { name: key, properties } of blobs) {
        const { etag, contentLength: size = 0 } = properties;
        found.push({ bucket, key, version: etag, size, etag });
      }
      return found;
    });
  }

  /** The links of an identity cannot be taken back; what comes by them is no pinned object. */
  async freeze(bucket: string, call: Call): Promise<void> {
    await this.setPolicies(bucket, [], call);
  }

  async unfreeze(bucket: string, call: Call): Promise<void> {
    await this.setPolicies(bucket, [uploads], call);
  }

  /** The identity of a party reads its own account, by a role that was given to it there. */
  async grantParty(): Promise<void> {}

  async deleteObject({ bucket, key }: { bucket: string; key: string }, call: Call): Promise<void> {
    const blob = this.container(bucket).getBlobClient(key);
    await within(call, (abortSignal) =>
      blob.deleteIfExists({ deleteSnapshots: 'include', abortSignal }),
    );
  }

  async deleteBucket(bucket: string, call: Call): Promise<void> {
    await within(call, (abortSignal) => this.container(bucket).deleteIfExists({ abortSignal }));
  }

  async listByTag({ job }: { job?: string }, call: Call): Promise<FoundBucket[]> {
    return within(call, async (abortSignal) => {
      const found: FoundBucket[] = [];
      for (const { service } of this.perParty) {
        for await (const each of service.listContainers({ includeMetadata: true, abortSignal })) {
          const tags = readTags(dashed(each.metadata));
          const bucket = foundBucket(each.name, tags, each.properties.lastModified);
          if (bucket && (job === undefined || bucket.tags.job === job)) found.push(bucket);
        }
      }
      return found;
    });
  }

  private async link(
    { bucket, key, expiresIn }: ReadRequest,
    permission: 'c' | 'r',
    call: Call,
  ): Promise<string> {
    const account = this.accountOf(bucket);
    const values = {
      containerName: bucket,
      blobName: key,
      permissions: BlobSASPermissions.parse(permission),
      expiresOn: new Date(this.clock.now().getTime() + expiresIn * 1000),
      ...(permission === 'c' && account.byKey && { identifier: uploads.id }),
    };
    const query = await within(call, (signal) => account.sign(values, signal));
    return `${this.container(bucket).getBlobClient(key).url}?${query}`;
  }

  private async setPolicies(
    bucket: string,
    policies: SignedIdentifier[],
    call: Call,
  ): Promise<void> {
    if (!this.accountOf(bucket).byKey) return;
    await within(call, (abortSignal) =>
      this.container(bucket).setAccessPolicy(undefined, policies, { abortSignal }),
    );
  }

  /** Which pages may put is said of a whole account, once; under `account` by whoever made it. */
  private async openToPages(account: Account): Promise<void> {
    if (this.isolation === 'account') return;
    const { service } = account;
    const opening = this.opened.get(account) ?? service.setProperties({ cors: [page] });
    this.opened.set(account, opening);
    try {
      await opening;
    } catch (error) {
      this.opened.delete(account);
      throw error;
    }
  }

  private container(bucket: string): ContainerClient {
    return this.accountOf(bucket).service.getContainerClient(bucket);
  }

  private accountOf(bucket: string): Account {
    const own = readBucketName(bucket);
    const account = own && this.perParty[own.party % this.perParty.length];
    if (account === undefined) throw new ProviderError('not_found', 'there is no such bucket');
    return account;
  }
}

/** Names of metadata are identifiers, without dashes. */
function underscored(tags: Record<string, string>): Record<string, string> {
  return renamed(tags, '-', '_');
}

function dashed(metadata: Record<string, string> = {}): Record<string, string> {
  return renamed(metadata, '_', '-');
}

function renamed(
  members: Record<string, string>,
  from: string,
  to: string,
): Record<string, string> {
  const entries = Object.entries(members).map(([name, value]) => [
    name.replaceAll(from, to),
    value,
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}
