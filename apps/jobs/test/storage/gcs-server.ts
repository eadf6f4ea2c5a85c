import { createHash, createVerify } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { ManualClock } from '@glacis/runtime';
import { neededFor, type BucketPolicy, type GcsAccounts, type Who } from './gcs-accounts.js';

interface Version {
  generation: number;
  body: Buffer;
}

interface Bucket {
  metadata: Record<string, unknown>;
  policy: BucketPolicy;
  /** Of each key, the oldest first. */
  objects: Map<string, Version[]>;
}

/** A signed PUT. */
interface Put {
  who: Who;
  name: string;
  bucket: Bucket;
  key: string;
  body: Buffer;
}

interface Answer {
  status: number;
  body?: unknown;
}

const refused: Answer = { status: 403, body: { error: { code: 403, message: 'refused' } } };
const missing: Answer = { status: 404, body: { error: { code: 404, message: 'not found' } } };
const failed: Answer = { status: 412, body: { error: { code: 412, message: 'precondition' } } };

/**
 * A stand-in for Google Cloud Storage: signed links as the real one checks them (V4, GOOG4-RSA-SHA256: signature, signed
 * headers, expiry, permissions of the signer, generation match, length range), and as much of the JSON API as the client
 * needs. Every call needs its permission. The client sends no token to a stand-in: a call without one is the signer's where
 * it stores something, and the janitor's otherwise; parties sign their tokens themselves (AIP-4111), and these are verified.
 */
export class GcsServer {
  private readonly buckets = new Map<string, Bucket>();
  private generation = Date.now() * 1000;
  /** By which it judges whether a link still holds. */
  readonly clock = new ManualClock(new Date());
  private readonly server = createServer((request, response) => {
    this.answer(request).then(
      (answer) => send(response, answer),
      (error: unknown) => send(response, { status: 500, body: String(error) }),
    );
  });

  private constructor(readonly accounts: GcsAccounts) {}

  static async start(accounts: GcsAccounts): Promise<GcsServer> {
    const standIn = new GcsServer(accounts);
    standIn.server.listen(0, '127.0.0.1');
    await once(standIn.server, 'listening');
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? '/', this.url);
    const body = await buffer(request);
    if (url.pathname.startsWith('/upload/')) return this.upload(url, body);
    if (url.pathname.startsWith('/storage/v1/b')) return this.json(request, url, body);
    return this.signed(request, url, body);
  }

  private json(request: IncomingMessage, url: URL, body: Buffer): Answer {
    const [, , , , name = '', part, key] = url.pathname.split('/').map(decodeURIComponent);
    const who = this.accounts.callerOf(request.headers, this.clock.now());
    if (who === undefined) return { status: 401 };
    const needed = neededFor(request.method ?? '', { name, part, key });
    if (!this.may(who, needed, name)) return refused;
    return this.allowed(request, url, body);
  }

  private allowed(request: IncomingMessage, url: URL, body: Buffer): Answer {
    const [, , , , name = '', part, key] = url.pathname.split('/').map(decodeURIComponent);
    if (name === '') return request.method === 'POST' ? this.create(body) : this.all();
    const bucket = this.buckets.get(name);
    if (bucket === undefined) return missing;
    if (part === 'iam') return iam(bucket, request, body);
    if (part === 'o') return objects(bucket, request, { query: url.searchParams, key });
    if (request.method !== 'DELETE') return { status: 200, body: bucket.metadata };
    if (bucket.objects.size > 0) return { status: 409 };
    this.buckets.delete(name);
    return { status: 204 };
  }

  private may(who: Who, permission: string, name: string): boolean {
    return this.accounts.may(who, permission, { name, policy: this.buckets.get(name)?.policy });
  }

  private create(body: Buffer): Answer {
    const metadata = JSON.parse(body.toString()) as { name: string };
    if (this.buckets.has(metadata.name)) return { status: 409 };
    const timeCreated = new Date().toISOString();
    const bucket = {
      metadata: { ...metadata, id: metadata.name, timeCreated },
      policy: {},
      objects: new Map(),
    };
    this.buckets.set(metadata.name, bucket);
    return { status: 200, body: bucket.metadata };
  }

  private all(): Answer {
    const items = [...this.buckets.values()].map(({ metadata }) => metadata);
    return { status: 200, body: { kind: 'storage#buckets', items } };
  }

  /** `multipart/related`: metadata, then the bytes. */
  private upload(url: URL, body: Buffer): Answer {
    const name = decodeURIComponent(url.pathname.split('/')[5] ?? '');
    const bucket = this.buckets.get(name);
    const key = url.searchParams.get('name') ?? '';
    if (bucket === undefined) return missing;
    if (!this.may('signer', 'storage.objects.create', name)) return refused;
    if (url.searchParams.get('ifGenerationMatch') === '0' && bucket.objects.has(key)) return failed;
    const boundary = body.subarray(0, body.indexOf('\r\n'));
    const second = body.indexOf(boundary, boundary.length);
    const start = body.indexOf('\r\n\r\n', second) + 4;
    const end = body.lastIndexOf(boundary) - 2;
    return { status: 200, body: this.store(bucket, key, body.subarray(start, end)) };
  }

  private store(bucket: Bucket, key: string, body: Buffer): unknown {
    this.generation += 1;
    const version = { generation: this.generation, body };
    bucket.objects.set(key, [...(bucket.objects.get(key) ?? []), version]);
    return shown(key, version);
  }

  private signed(request: IncomingMessage, url: URL, body: Buffer): Answer {
    const who = this.verifiedSigner(request, url);
    const [, name = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const bucket = this.buckets.get(name);
    if (who === undefined) return refused;
    if (bucket === undefined) return missing;
    const key = rest.join('/');
    if (request.method === 'PUT') return this.put(request, { who, name, bucket, key, body });
    return this.may(who, 'storage.objects.get', name) ? read(bucket, key) : refused;
  }

  private put({ headers }: IncomingMessage, { who, name, bucket, key, body }: Put): Answer {
    const there = bucket.objects.has(key);
    if (!this.may(who, 'storage.objects.create', name)) return refused;
    if (there && headers['x-goog-if-generation-match'] === '0') return failed;
    // To replace is to delete, which no signer may.
    if (there) return refused;
    if (!isWithin(headers['x-goog-content-length-range'], body.length)) return { status: 400 };
    this.store(bucket, key, body);
    return { status: 200 };
  }

  /** Cloud Storage, "V4 signing process": the account whose signature the request carries and still may use. */
  private verifiedSigner(request: IncomingMessage, url: URL): Who | undefined {
    const query = url.searchParams;
    const of = (name: string): string => query.get(`X-Goog-${name}`) ?? '';
    const [email = '', ...scope] = of('Credential').split('/');
    const who = this.accounts.nameOf(email);
    const signedHeaders = of('SignedHeaders').split(';');
    const unsigned = Object.keys(request.headers).filter(
      (name) => name.startsWith('x-goog-') && !signedHeaders.includes(name),
    );
    const [now, made] = [this.clock.now().getTime(), timeOf(of('Date'))];
    const holds = made < now + 900_000 && now < made + Number(of('Expires')) * 1000;
    if (who === undefined || unsigned.length > 0 || !holds) return undefined;
    const canonical = canonicalRequest(request, url, signedHeaders);
    const hash = createHash('sha256').update(canonical).digest('hex');
    const text = ['GOOG4-RSA-SHA256', of('Date'), scope.join('/'), hash].join('\n');
    const verify = createVerify('RSA-SHA256').update(text);
    return verify.verify(this.accounts.keyOf(who), of('Signature'), 'hex') ? who : undefined;
  }
}

/** Every version of what begins so, or the end of one of them. */
function objects(
  bucket: Bucket,
  { method }: IncomingMessage,
  { query, key = '' }: { query: URLSearchParams; key: string | undefined },
): Answer {
  if (method === 'GET' && key !== '') return oneVersion(bucket, key, query);
  if (method === 'GET') {
    const prefix = query.get('prefix') ?? '';
    const items = [...bucket.objects].flatMap(([name, versions]) =>
      name.startsWith(prefix) ? versions.map((version) => shown(name, version)) : [],
    );
    return { status: 200, body: { kind: 'storage#objects', items } };
  }
  const generation = Number(query.get('generation'));
  const left = (bucket.objects.get(key) ?? []).filter((each) => each.generation !== generation);
  if (left.length > 0) bucket.objects.set(key, left);
  else bucket.objects.delete(key);
  return { status: 204 };
}

function read({ objects }: Bucket, key: string): Answer {
  const newest = objects.get(key)?.at(-1);
  return newest === undefined ? missing : { status: 200, body: newest.body };
}

function oneVersion({ objects }: Bucket, key: string, query: URLSearchParams): Answer {
  const wanted = query.get('generation');
  const versions = objects.get(key) ?? [];
  const found = versions.findLast(
    ({ generation }) => wanted === null || generation === Number(wanted),
  );
  if (found === undefined) return missing;
  return { status: 200, body: query.get('alt') === 'media' ? found.body : shown(key, found) };
}

/** @param range `least,most` */
function isWithin(range: string | string[] | undefined, length: number): boolean {
  if (range === undefined) return true;
  const [least = 0, most = 0] = String(range).split(',').map(Number);
  return least <= length && length <= most;
}

function canonicalRequest(request: IncomingMessage, url: URL, signedHeaders: string[]): string {
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Goog-Signature')
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .toSorted()
    .join('&');
  // The client signs the host without the port, which the real one has none of.
  const value = (name: string): string =>
    name === 'host' ? url.hostname : String(request.headers[name] ?? '').trim();
  const headers = signedHeaders.map((name) => `${name}:${value(name)}\n`).join('');
  const parts = [request.method, url.pathname, query, headers, signedHeaders.join(';')];
  return [...parts, 'UNSIGNED-PAYLOAD'].join('\n');
}

function timeOf(date: string): number {
  const pattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
  return Date.parse(date.replace(pattern, '$1-$2-$3T$4:$5:$6Z'));
}

function shown(name: string, { generation, body }: Version): Record<string, unknown> {
  const md5Hash = createHash('md5').update(body).digest('base64');
  const etag = `etag-${generation}`;
  return { name, generation: String(generation), size: String(body.length), etag, md5Hash };
}

function iam(bucket: Bucket, { method }: IncomingMessage, body: Buffer): Answer {
  if (method === 'PUT') bucket.policy = JSON.parse(body.toString()) as Bucket['policy'];
  return { status: 200, body: bucket.policy };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.statusCode = status;
  if (body === undefined || Buffer.isBuffer(body)) return void response.end(body);
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
}
