import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@glacis/runtime';

/** The secrets that links are signed with (jobs.md 12): the current one signs, all accepted ones are verified with. */
export interface LinkSecrets {
  readonly current: Buffer;
  readonly accepted: readonly Buffer[];
}

/** What one link is good for, and nothing else. */
export interface Grant {
  op: 'put' | 'get';
  bucket: string;
  key: string;
  /** Longest object that may be put; absent for reads. */
  maxBytes?: number;
}

const algorithm = 'HMAC-SHA256';
const root = '/storage/';
const verbs = { put: 'PUT', get: 'GET' } as const;

/** Links to objects of local buckets, and what becomes of them (jobs.md 6.3). */
export class SignedUrls {
  constructor(
    private readonly secrets: LinkSecrets,
    private readonly clock: Clock,
  ) {}

  /**
   * Path and query of a link.
   * @param expiresIn seconds
   */
  sign(grant: Grant, expiresIn: number): string {
    const path = pathOf(grant);
    const query = queryOf({
      'X-Glacis-Algorithm': algorithm,
      'X-Glacis-Date': basicTime(this.clock.now()),
      'X-Glacis-Expires': String(expiresIn),
      'X-Glacis-Op': grant.op,
      ...(grant.maxBytes === undefined ? {} : { 'X-Glacis-MaxBytes': String(grant.maxBytes) }),
    });
    const text = signedText(verbs[grant.op], path, query);
    const signature = hmac(this.secrets.current, grant.bucket, text).toString('hex');
    return `${path}?${query}&X-Glacis-Signature=${signature}`;
  }

  /** What a request may do by its link; undefined for whatever reason it may not. */
  verify(method: string, target: string): Grant | undefined {
    const [path, query = ''] = split(target, '?');
    const place = readPath(path);
    const { signature, rest } = withoutSignature(query);
    if (place === undefined || signature === undefined) return undefined;
    const text = signedText(method, path, rest);
    const genuine = this.secrets.accepted.some((secret) =>
      timingSafeEqual(hmac(secret, place.bucket, text), signature),
    );
    return genuine ? this.read(place, method, new URLSearchParams(rest)) : undefined;
  }

  /** Everything here was written by `sign`, so it only has to be the right link at the right time. */
  private read(
    place: { bucket: string; key: string },
    method: string,
    query: URLSearchParams,
  ): Grant | undefined {
    const op = query.get('X-Glacis-Op') === 'put' ? 'put' : 'get';
    const made = readBasicTime(query.get('X-Glacis-Date') ?? '');
    const ends = made + Number(query.get('X-Glacis-Expires')) * 1000;
    if (verbs[op] !== method || !(this.clock.now().getTime() < ends)) return undefined;
    if (op === 'get') return { op, ...place };
    return { op, ...place, maxBytes: Number(query.get('X-Glacis-MaxBytes')) };
  }
}

/** Algorithm, method, path, and the query without the signature, sorted; joined by LF. */
function signedText(method: string, path: string, query: string): string {
  return [algorithm, method, path, query.split('&').toSorted().join('&')].join('\n');
}

function hmac(secret: Buffer, bucket: string, text: string): Buffer {
  const key = Buffer.from(hkdfSync('sha256', secret, '', bucket, 32));
  return createHmac('sha256', key).update(text).digest();
}

function pathOf({ bucket, key }: Grant): string {
  return root + [bucket, ...key.split('/')].map(encodeURIComponent).join('/');
}

function readPath(path: string): { bucket: string; key: string } | undefined {
  if (!path.startsWith(root)) return undefined;
  const [bucket, key] = split(path.slice(root.length), '/');
  try {
    if (!bucket || !key) return undefined;
    return { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key) };
  } catch {
    return undefined;
  }
}

function queryOf(members: Record<string, string>): string {
  return Object.entries(members)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
}

const signaturePattern = /^X-Glacis-Signature=([0-9a-f]{64})$/;

function withoutSignature(query: string): { signature: Buffer | undefined; rest: string } {
  const parts = query.split('&');
  const rest = parts.filter((part) => !part.startsWith('X-Glacis-Signature='));
  const [found, ...more] = parts.flatMap((part) => signaturePattern.exec(part)?.[1] ?? []);
  const one = found !== undefined && more.length === 0 && rest.length === parts.length - 1;
  return { signature: one ? Buffer.from(found, 'hex') : undefined, rest: rest.join('&') };
}

/** Both sides of the first separator. */
function split(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** ISO 8601 in its basic form, as `20261122T064500Z`. */
function basicTime(time: Date): string {
  return `${time.toISOString().replaceAll(/[-:]/g, '').slice(0, 15)}Z`;
}

function readBasicTime(text: string): number {
  const pattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
  return Date.parse(text.replace(pattern, '$1-$2-$3T$4:$5:$6Z'));
}
