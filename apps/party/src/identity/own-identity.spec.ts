import { createVerify, generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@glacis/testbed';
import { MetadataServer, type Told } from '../../test/metadata-server.js';
import { Metadata } from './metadata.js';
import { OwnIdentity } from './own-identity.js';
import { signedGet } from './sigv4.js';

const now = (): Date => new Date('2026-11-22T11:30:00Z');
const aws = { cloud: 'aws', region: 'eu-west-1' } as const;
const gcp = { cloud: 'gcp' } as const;
const azure = { cloud: 'azure', etag: '0x8DC' } as const;
const inS3 = new URL('https://a-bucket.s3.eu-west-1.amazonaws.com/a/0001/t%20%2Bx?versionId=a%2Fb');
const inGcs = new URL('https://storage.googleapis.com/storage/v1/b/b/o/k?alt=media&generation=7');
const inAzure = new URL('https://account.blob.core.windows.net/b/k');

let server: MetadataServer | undefined;
afterEach(() => server?.close());

async function onMachine(told: Told): Promise<OwnIdentity> {
  server = await MetadataServer.start(told);
  return new OwnIdentity('machine', { metadata: new Metadata(server.url), now });
}

async function withFile(content: string, endpoint?: string): Promise<OwnIdentity> {
  const file = join(await temporaryFolder(), 'credentials');
  await writeFile(file, content);
  return new OwnIdentity({ file, endpoint }, { metadata: new Metadata('http://127.0.0.1:9'), now });
}

test('SigV4: the example of a GET of the documentation of S3', () => {
  const signed = signedGet(new URL('https://examplebucket.s3.amazonaws.com/test.txt'), {
    credentials: {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    },
    region: 'us-east-1',
    now: new Date('2013-05-24T00:00:00Z'),
    headers: { range: 'bytes=0-9' },
  });
  expect(signed.authorization).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, ' +
      'SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, ' +
      'Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  );
});

test('SigV4: a path is signed alike, however it is written', () => {
  const credentials = { accessKeyId: 'AKIA', secretAccessKey: 'secret' };
  const signing = { credentials, region: 'eu-west-1', now: now() };
  const [plain, strict] = ["a'b(1)!", 'a%27b%281%29%21'].map(
    (key) => signedGet(new URL(`https://b.s3.amazonaws.com/${key}`), signing).authorization,
  );
  expect(plain).toBe(strict);
});

test('jobs.md 10.3: aws: the role of the machine, by IMDSv2', async () => {
  const roles = '/latest/meta-data/iam/security-credentials/';
  const credentials = { AccessKeyId: 'ASIA', SecretAccessKey: 'secret', Token: 'a token' };
  const identity = await onMachine({
    'PUT /latest/api/token': 'a session',
    [`GET ${roles}`]: 'glacis-party\n',
    [`GET ${roles}glacis-party`]: JSON.stringify(credentials),
  });
  const headers = await identity.headersFor(inS3, aws);
  expect(headers['x-amz-security-token']).toBe('a token');
  expect(headers.authorization).toContain('Credential=ASIA/20261122/eu-west-1/s3/aws4_request');
  expect(headers.authorization).toContain('x-amz-security-token,');
  expect(server?.answered).toHaveLength(3);
});

test('jobs.md 10.3: aws: the profile `default` of a credentials file, and no other', async () => {
  const other = '[other]\naws_access_key_id = OTHER\naws_secret_access_key = x\n';
  const own = '[default]\n# a comment\naws_access_key_id=AKIA\naws_secret_access_key = s/e+c=ret\n';
  const identity = await withFile(own + other);
  const headers = await identity.headersFor(inS3, aws);
  expect(headers.authorization).toContain('Credential=AKIA/');
  const { host: _, ...signed } = signedGet(inS3, {
    credentials: { accessKeyId: 'AKIA', secretAccessKey: 's/e+c=ret' },
    region: 'eu-west-1',
    now: now(),
  });
  expect(headers).toMatchObject(signed);
  await expect((await withFile(other)).headersFor(inS3, aws)).rejects.toThrow('no default key');
});

test('jobs.md 10.3: gcp: a token of the service account of the machine, for Google alone', async () => {
  const path = '/computeMetadata/v1/instance/service-accounts/default/token';
  const identity = await onMachine({ [`GET ${path}`]: '{"access_token":"ya29","expires_in":9}' });
  expect(await identity.headersFor(inGcs, gcp)).toEqual({ authorization: 'Bearer ya29' });
  for (const other of [
    'https://storage.googleapis.com.example.org/',
    'http://storage.googleapis.com/',
    'http://127.0.0.1:8080/',
  ])
    await expect(identity.headersFor(new URL(other), gcp)).rejects.toThrow(RangeError);
  expect(server?.answered).toHaveLength(1);
});

test('jobs.md 10.3: gcp: a token that a key file signs, which may read and nothing else', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const identity = await withFile(JSON.stringify({ client_email: 'party@test', private_key }));
  const { authorization = '' } = await identity.headersFor(inGcs, gcp);
  const [header, claims = '', signature = ''] = authorization.replace('Bearer ', '').split('.');
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({
    iss: 'party@test',
    sub: 'party@test',
    scope: 'https://www.googleapis.com/auth/devstorage.read_only',
    iat: now().getTime() / 1000,
    exp: now().getTime() / 1000 + 600,
  });
  const verifier = createVerify('RSA-SHA256').update(`${header}.${claims}`);
  expect(verifier.verify(publicKey, signature, 'base64url')).toBe(true);
});

test('gcp: a token goes to the one server that stands in for Google, where one was named at the start', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const key = JSON.stringify({ client_email: 'party@test', private_key });
  const named = await withFile(key, 'http://127.0.0.1:4443');
  const headers = await named.headersFor(new URL('http://127.0.0.1:4443/b/k'), gcp);
  expect(headers.authorization).toMatch(/^Bearer /);
  for (const [identity, other] of [
    [named, 'http://127.0.0.1:4444/b/k'],
    [named, 'https://127.0.0.1:4443/b/k'],
    [await withFile(key), 'http://127.0.0.1:4443/b/k'],
  ] as const)
    await expect(identity.headersFor(new URL(other), gcp)).rejects.toThrow(RangeError);
});

test('jobs.md 10.3: azure: a token for this account alone, and the pinned version', async () => {
  const resource = encodeURIComponent(inAzure.origin);
  const path = `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${resource}`;
  const identity = await onMachine({ [`GET ${path}`]: '{"access_token":"eyJ0"}' });
  expect(await identity.headersFor(inAzure, azure)).toEqual({
    authorization: 'Bearer eyJ0',
    'if-match': '0x8DC',
    'x-ms-version': '2023-11-03',
  });
});

test('jobs.md 10.3: a party without an identity of its own asks nobody', async () => {
  const none = new OwnIdentity(undefined, { metadata: new Metadata('http://127.0.0.1:9') });
  const without = expect.objectContaining({ failure: 'infra', code: 'no_identity' });
  for (const [url, how] of [
    [inS3, aws],
    [inGcs, gcp],
    [inAzure, azure],
  ] as const)
    await expect(none.headersFor(url, how)).rejects.toEqual(without);
  const file = await withFile('a token');
  await expect(file.headersFor(inAzure, azure)).rejects.toEqual(without);
});

test('a machine that is nobody: what its metadata service says is final', async () => {
  const identity = await onMachine({});
  const refused = { name: 'StatusError', status: 404, transient: false };
  await expect(identity.headersFor(inS3, aws)).rejects.toMatchObject(refused);
});
