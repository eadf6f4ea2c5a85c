import {
  CreateBucketCommand,
  GetBucketTaggingCommand,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  type BucketLifecycleConfiguration,
  type BucketLocationConstraint,
  type S3Client,
} from '@aws-sdk/client-s3';
import { toldBy, unless } from '../provider-calls.js';
import type { BucketTags, NewBucket } from '../storage-provider.js';
import { checkSameTags, readTags, writeTags } from '../tags.js';

const dayMs = 86_400_000;

export interface BucketPlace {
  region: string;
  /** True: another server than AWS, which may lack what is beside storing objects. */
  foreign: boolean;
  signal: AbortSignal;
}

/** Makes a bucket private, versioned, encrypted and open to PUT from pages (jobs.md 6.1); again where it was begun. */
export async function makeBucket(
  s3: S3Client,
  bucket: NewBucket,
  { region, foreign, signal }: BucketPlace,
): Promise<void> {
  const Bucket = bucket.name;
  const options = { abortSignal: signal };
  const place = { LocationConstraint: region as BucketLocationConstraint };
  const CreateBucketConfiguration = region === 'us-east-1' ? undefined : place;
  await unless(['exists'], () =>
    s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }), options),
  );
  checkSameTags(bucket, await tagsOf(s3, Bucket, signal));
  const shield = {
    BlockPublicAcls: true,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true,
  };
  const byDefault = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' as const } };
  const page = {
    AllowedMethods: ['PUT'],
    AllowedOrigins: ['*'],
    AllowedHeaders: ['*'],
    ExposeHeaders: ['ETag'],
    MaxAgeSeconds: 3600,
  };
  const steps = [
    () =>
      s3.send(
        new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: shield }),
        options,
      ),
    () =>
      s3.send(
        new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
        options,
      ),
    () =>
      s3.send(
        new PutBucketEncryptionCommand({
          Bucket,
          ServerSideEncryptionConfiguration: { Rules: [byDefault] },
        }),
        options,
      ),
    () =>
      s3.send(
        new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [page] } }),
        options,
      ),
    () =>
      s3.send(
        new PutBucketLifecycleConfigurationCommand({
          Bucket,
          LifecycleConfiguration: lifecycle(bucket.tags),
        }),
        options,
      ),
  ];
  for (const step of steps) await (foreign ? ifThere(step) : step());
  const TagSet = Object.entries(writeTags(bucket.tags)).map(([Key, Value]) => ({ Key, Value }));
  await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }), options);
}

export async function tagsOf(
  s3: S3Client,
  Bucket: string,
  signal: AbortSignal,
): Promise<BucketTags | undefined> {
  try {
    const command = new GetBucketTaggingCommand({ Bucket });
    const { TagSet = [] } = await s3.send(command, { abortSignal: signal });
    return readTags(Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value])));
  } catch (error) {
    if (toldBy(error).word === 'NoSuchTagSet') return undefined;
    throw error;
  }
}

/** The provider's own broom, for the day when nobody else sweeps: one day after the bucket has expired. */
function lifecycle({ expires }: BucketTags): BucketLifecycleConfiguration {
  const days = Math.max(1, Math.ceil((expires.getTime() - Date.now()) / dayMs) + 1);
  return {
    Rules: [
      {
        ID: 'glacis-expires',
        Status: 'Enabled',
        Filter: { Prefix: '' },
        Expiration: { Days: days },
        NoncurrentVersionExpiration: { NoncurrentDays: days },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
      },
    ],
  };
}

async function ifThere(step: () => Promise<unknown>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (toldBy(error).status !== 501) throw error;
  }
}
