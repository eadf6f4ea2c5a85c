import { S3Client } from '@aws-sdk/client-s3';
import { ManualClock } from '@glacis/runtime';
import { startS3, type S3Key, type S3Server } from '@glacis/testbed/cluster';
import { AwsStorage } from '../../src/storage/aws/aws-storage.js';
import { policyOf } from '../cloud-roles.js';
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

/** Under `account` as AWS is set up by its own administrator, with the supplied templates. */
export async function openS3(isolation: 'nominal' | 'account'): Promise<Subject> {
  const server = await startS3();
  const signer = await server.addUser('signer', [await policyOf('signer')]);
  const janitor =
    isolation === 'nominal'
      ? server.root
      : await server.addUser('janitor', [await policyOf('janitor')]);
  const clients = { janitor: client(server, janitor), signer: client(server, signer) };
  const clock = new ManualClock(new Date());
  const options = { region: server.region, endpoint: server.url, isolation };
  return {
    provider: new AwsStorage(options, clients, clock),
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
