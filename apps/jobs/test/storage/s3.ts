import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { ManualClock } from '@glacis/runtime';
import { startS3, type S3Key, type S3Server } from '@glacis/testbed/cluster';
import { AwsStorage } from '../../src/storage/aws/aws-storage.js';
import type { Call, NewBucket } from '../../src/storage/storage-provider.js';
import { signedInThePast, type Subject } from './conformance.js';

function client({ url, region }: S3Server, credentials: S3Key): S3Client {
  return new S3Client({
    region,
    credentials,
    endpoint: url,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
}

/** As AWS is set up by its own administrator: the signer may put objects into every bucket, and nothing else. */
class WithSigner extends AwsStorage {
  constructor(
    private readonly admin: S3Client,
    private readonly signerId: string,
    ...parts: ConstructorParameters<typeof AwsStorage>
  ) {
    super(...parts);
  }

  override async createBucket(bucket: NewBucket, call: Call): Promise<void> {
    await super.createBucket(bucket, call);
    const Resource = [`arn:aws:s3:::${bucket.name}/*`];
    const Principal = { AWS: [this.signerId] };
    const role = { Sid: 'Signer', Effect: 'Allow', Principal, Action: ['s3:PutObject'], Resource };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [role] });
    await this.admin.send(new PutBucketPolicyCommand({ Bucket: bucket.name, Policy }));
  }
}

export async function openS3(isolation: 'nominal' | 'account'): Promise<Subject> {
  const server = await startS3();
  const signer = await server.addUser('signer');
  const clients = { janitor: client(server, server.root), signer: client(server, signer) };
  const clock = new ManualClock(new Date());
  const options = { region: server.region, endpoint: server.url, isolation };
  return {
    provider: new WithSigner(clients.janitor, 'signer', options, clients, clock),
    expired: signedInThePast(clock),
    stored: 200,
    sealKey: null,
    plainIsCreateOnly: false,
    capsPlain: false,
    capsStrict: true,
    freezes: isolation === 'nominal',
    close: () => server.stop(),
  };
}
