import { S3Client } from '@aws-sdk/client-s3';

export interface AwsOptions {
  region: string;
  /** Of a server that speaks S3; absent: that of AWS. */
  endpoint?: string;
  /** Profile of the AWS configuration files; absent: what the environment or the instance gives. */
  janitorProfile?: string;
  /** The same for signing uploads; absent: that of the janitor. */
  signerProfile?: string;
  isolation: 'nominal' | 'account';
}

export interface Clients {
  /** Makes, lists and deletes. */
  janitor: S3Client;
  /** May put objects and nothing else. */
  signer: S3Client;
}

/** @throws {Error} when credentials are missing, as a provider must not turn into local folders by mistake */
export async function openClients(options: AwsOptions): Promise<Clients> {
  const { janitorProfile, signerProfile = janitorProfile } = options;
  const clients = {
    janitor: client(options, janitorProfile),
    signer: client(options, signerProfile),
  };
  await Promise.all(Object.values(clients).map((each) => each.config.credentials()));
  return clients;
}

function client({ region, endpoint }: AwsOptions, profile: string | undefined): S3Client {
  return new S3Client({
    region,
    ...(profile !== undefined && { profile }),
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    // Else the checksum of an empty body is signed into links, and uploads fail.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
  });
}
