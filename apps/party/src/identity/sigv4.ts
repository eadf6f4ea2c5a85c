import { createHash, createHmac } from 'node:crypto';

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of temporary ones. */
  sessionToken?: string;
}

export interface Signing {
  credentials: AwsCredentials;
  region: string;
  now: Date;
  /** Further headers that the request has. Default none. */
  headers?: Readonly<Record<string, string>>;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer | string, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest();

/** As RFC 3986 has it; `encodeURIComponent` leaves five characters more as they are. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/**
 * Headers that make a GET of an object of S3 one of this user (AWS Signature Version 4, "authenticating requests: using the
 * authorization header"). S3 wants the path encoded once, and strictly, however it stands in the URL.
 */
export function signedGet(url: URL, signing: Signing): Record<string, string> {
  const { credentials, region, now } = signing;
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const headers: Record<string, string> = {
    ...signing.headers,
    host: url.host,
    'x-amz-content-sha256': sha256(''),
    'x-amz-date': time,
    ...(credentials.sessionToken && { 'x-amz-security-token': credentials.sessionToken }),
  };
  const names = Object.keys(headers).toSorted();
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join('');
  const signedHeaders = names.join(';');
  const query = [...url.searchParams]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted()
    .join('&');
  const path = url.pathname.split('/').map((part) => encoded(decodeURIComponent(part)));
  const canonical = ['GET', path.join('/'), query, lines, signedHeaders, sha256('')].join('\n');
  const scope = [time.slice(0, 8), region, 's3', 'aws4_request'];
  const text = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(canonical)].join('\n');
  const key = scope.reduce<Buffer | string>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, text).toString('hex');
  const credential = `${credentials.accessKeyId}/${scope.join('/')}`;
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
  };
}
