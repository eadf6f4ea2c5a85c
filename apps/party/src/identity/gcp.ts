import { createSign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Metadata } from './metadata.js';

const told = z.object({ access_token: z.string() });
const keyFile = z.object({
  client_email: z.string(),
  private_key: z.string(),
  private_key_id: z.string().optional(),
});

const path = '/computeMetadata/v1/instance/service-accounts/default/token';
const scope = 'https://www.googleapis.com/auth/devstorage.read_only';
/** Seconds. */
const life = 600;

/** An access token of the service account of this machine. */
export async function machineToken(metadata: Metadata): Promise<string> {
  const headers = { 'metadata-flavor': 'Google' };
  return told.parse(JSON.parse(await metadata.text(path, { headers }))).access_token;
}

/** A token that a service account signs for itself (AIP-4111), with the key file that Google hands out. */
export async function signedToken(file: string, now: Date): Promise<string> {
  const key = keyFile.parse(JSON.parse(await readFile(file, 'utf8')));
  const iat = Math.floor(now.getTime() / 1000);
  const header = { alg: 'RS256', typ: 'JWT', kid: key.private_key_id };
  const claims = { iss: key.client_email, sub: key.client_email, scope, iat, exp: iat + life };
  const text = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key.private_key, 'base64url')}`;
}

/**
 * A token of Google is good for whoever has it, so it goes to Google alone, or to what the agent was started with.
 * @param endpoint address of a server in place of Cloud Storage
 * @throws {RangeError} for another address, whoever has named it
 */
export function checkAddressee({ origin }: URL, endpoint?: string): void {
  const known = ['https://storage.googleapis.com', ...(endpoint ? [new URL(endpoint).origin] : [])];
  if (!known.includes(origin)) throw new RangeError('the object lies elsewhere');
}
