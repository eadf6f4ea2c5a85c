import {
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Clock } from '@glacis/runtime';
import { accountAt } from '../account-at.js';
import { collected } from '../bounded.js';
import { directionOf, readBucketName, resultBucket } from '../names.js';
import { checkRead, failureOf, unless, within } from '../provider-calls.js';
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
import { foundBucket } from '../tags.js';
import {
  frozen,
  partyMay,
  policyOf,
  statementsOf,
  without,
  withStatement,
  type Statement,
} from './bucket-policy.js';
import { openClients, type AwsOptions, type Clients } from './clients.js';
import { makeBucket, tagsOf } from './make-bucket.js';
import { deleteVersions, oldest, versions } from './versions.js';

/** Opens S3 with the credentials that the settings name. */
export async function openAws(options: AwsOptions, clock: Clock): Promise<AwsStorage> {
  return new AwsStorage(options, await openClients(options), clock);
}

/** Buckets of S3, or of a server that speaks it (jobs.md 6.2, 10.3). */
export class AwsStorage implements StorageProvider {
  readonly driver = 'aws';

  constructor(
    private readonly options: AwsOptions,
    private readonly clients: Clients,
    private readonly clock: Clock,
  ) {}

  get accounts(): string[] {
    return [accountAt(this.options.endpoint ?? 'https://s3.amazonaws.com')];
  }

  get isolation(): 'nominal' | 'account' {
    return this.options.isolation;
  }

  async createBucket(bucket: NewBucket, call: Call): Promise<void> {
    const { region, endpoint } = this.options;
    const foreign = endpoint !== undefined;
    await within(call, (signal) =>
      makeBucket(this.clients.janitor, bucket, { region, foreign, signal }),
    );
  }

  async signUpload(upload: UploadRequest, call: Call): Promise<SignedUpload> {
    const object = { Bucket: upload.bucket, Key: upload.key };
    const { bytes } = upload;
    const strict = { ...object, IfNoneMatch: '*', ...(bytes && { ContentLength: bytes }) };
    return within(call, async () => ({
      plainUrl: await this.signPut(object, upload.expiresIn),
      url: await this.signPut(strict, upload.expiresIn),
      headers: {
        'content-type': 'text/csv',
        'if-none-match': '*',
        ...(bytes && { 'content-length': String(bytes) }),
      },
    }));
  }

  async signRead({ bucket, key, expiresIn }: ReadRequest, call: Call): Promise<string> {
    const command = new GetObjectCommand({ Bucket: resultBucket(bucket), Key: key });
    const signingDate = this.clock.now();
    return within(call, () =>
      getSignedUrl(this.clients.janitor, command, { expiresIn, signingDate }),
    );
  }

  async put({ bucket, key, body, maxBytes }: OwnObject, call: Call): Promise<void> {
    const Body = await collected(body, maxBytes);
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body,
      IfNoneMatch: '*',
    });
    await within(call, (abortSignal) => this.clients.signer.send(command, { abortSignal }));
  }

  async read({ bucket, key, version }: ObjectVersion, call: Call): Promise<StoredBytes> {
    checkRead(bucket, this.isolation);
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version });
    return within(call, async (abortSignal) => {
      const found = await this.clients.janitor.send(command, { abortSignal });
      return { size: found.ContentLength ?? 0, stream: found.Body as Readable };
    });
  }

  /** Addresses as the client itself has them. */
  placeOf({ bucket, key, version }: Required<ObjectVersion>): ObjectPlace | null {
    if (this.isolation === 'nominal') return null;
    const { region, endpoint } = this.options;
    const { url } = this.clients.janitor.config.endpointProvider({
      Bucket: bucket,
      Region: region,
      ...(endpoint !== undefined && { Endpoint: endpoint, ForcePathStyle: true }),
    });
    const base = url.href.replace(/\/$/, '');
    const query = new URLSearchParams({ versionId: version });
    return {
      url: `${base}/${pathOf(key)}?${query.toString()}`,
      identity: { cloud: 'aws', region },
    };
  }

  async list(bucket: string, prefix: string, call: Call): Promise<StoredObject[]> {
    return within(call, (signal) =>
      oldest(bucket, versions(this.clients.janitor, { bucket, prefix }, signal)),
    );
  }

  /** Under `account` the pins do it alone: who may change policies could also let itself read. */
  async freeze(bucket: string, call: Call): Promise<void> {
    if (this.isolation === 'account') return;
    await this.changePolicy(bucket, call, (all) => withStatement(all, frozen(bucket)));
  }

  async unfreeze(bucket: string, call: Call): Promise<void> {
    if (this.isolation === 'account') return;
    await this.changePolicy(bucket, call, (all) => without(all, frozen(bucket).Sid));
  }

  /** Under `account` the roles of the parties were made with their rights. */
  async grantParty(
    { bucket, identity }: { bucket: string; identity: string },
    call: Call,
  ): Promise<void> {
    if (this.isolation === 'account') return;
    const may = partyMay(bucket, directionOf(bucket), identity);
    await this.changePolicy(bucket, call, (all) => withStatement(all, may));
  }

  async deleteObject({ bucket, key }: { bucket: string; key: string }, call: Call): Promise<void> {
    await within(call, (signal) => this.empty(bucket, signal, key));
  }

  async deleteBucket(bucket: string, call: Call): Promise<void> {
    await within(call, (signal) =>
      unless(['not_found'], async () => {
        await this.empty(bucket, signal);
        const command = new DeleteBucketCommand({ Bucket: bucket });
        await this.clients.janitor.send(command, { abortSignal: signal });
      }),
    );
  }

  async listByTag({ job }: { job?: string }, call: Call): Promise<FoundBucket[]> {
    return within(call, async (signal) => {
      const found: FoundBucket[] = [];
      for await (const { Name: name = '', CreationDate: made = new Date(0) } of this.buckets(
        signal,
      )) {
        const own = readBucketName(name);
        if (own === undefined || (job !== undefined && own.job !== job)) continue;
        const tags = await tagsOf(this.clients.janitor, name, signal).catch(orGone);
        const bucket = tags === null ? undefined : foundBucket(name, tags, made);
        if (bucket !== undefined) found.push(bucket);
      }
      return found;
    });
  }

  private signPut(input: PutObjectCommandInput, expiresIn: number): Promise<string> {
    return getSignedUrl(this.clients.signer, new PutObjectCommand(input), {
      expiresIn,
      signingDate: this.clock.now(),
      // In the query they would be advice; as headers the server holds the request to them.
      unhoistableHeaders: new Set(['if-none-match', 'content-length']),
    });
  }

  private async empty(bucket: string, signal: AbortSignal, key?: string): Promise<void> {
    const { janitor } = this.clients;
    const all = versions(janitor, { bucket, prefix: key ?? '' }, signal);
    await deleteVersions(janitor, bucket, key === undefined ? all : only(key, all), signal);
  }

  private async *buckets(
    abortSignal: AbortSignal,
  ): AsyncGenerator<{ Name?: string; CreationDate?: Date }> {
    let ContinuationToken: string | undefined;
    do {
      const command = new ListBucketsCommand({ ContinuationToken });
      const page = await this.clients.janitor.send(command, { abortSignal });
      yield* page.Buckets ?? [];
      ({ ContinuationToken } = page);
    } while (ContinuationToken !== undefined);
  }

  private async changePolicy(
    bucket: string,
    call: Call,
    change: (statements: Statement[]) => Statement[],
  ): Promise<void> {
    const { janitor } = this.clients;
    await within(call, async (abortSignal) => {
      const before = statementsOf(await policyText(janitor, bucket, abortSignal));
      const Policy = policyOf(change(before));
      const command =
        Policy === undefined
          ? new DeleteBucketPolicyCommand({ Bucket: bucket })
          : new PutBucketPolicyCommand({ Bucket: bucket, Policy });
      await janitor.send(command as PutBucketPolicyCommand, { abortSignal });
    });
  }
}

/** Names of tables may have spaces. */
const pathOf = (key: string): string => key.split('/').map(encodeURIComponent).join('/');

async function policyText(
  s3: S3Client,
  bucket: string,
  abortSignal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await s3.send(new GetBucketPolicyCommand({ Bucket: bucket }), { abortSignal })).Policy;
  } catch (error) {
    if ((error as Error).name === 'NoSuchBucketPolicy') return undefined;
    throw error;
  }
}

async function* only<T extends { Key: string }>(
  key: string,
  all: AsyncIterable<T>,
): AsyncGenerator<T> {
  for await (const each of all) if (each.Key === key) yield each;
}

/** A bucket may go while they are listed. */
function orGone(error: unknown): null {
  if (failureOf(error).code === 'not_found') return null;
  throw error;
}
