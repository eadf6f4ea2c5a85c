import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Metadata } from './metadata.js';
import type { AwsCredentials } from './sigv4.js';

const told = z.object({
  AccessKeyId: z.string(),
  SecretAccessKey: z.string(),
  Token: z.string(),
});

const roles = '/latest/meta-data/iam/security-credentials/';

/** Of the role of this machine, by version 2 of its metadata service (IMDSv2), which asks for a session first. */
export async function roleCredentials(metadata: Metadata): Promise<AwsCredentials> {
  const session = await metadata.text('/latest/api/token', {
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
  });
  const headers = { 'x-aws-ec2-metadata-token': session };
  const role = (await metadata.text(roles, { headers })).trim();
  const found = told.parse(JSON.parse(await metadata.text(`${roles}${role}`, { headers })));
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = found;
  return { accessKeyId, secretAccessKey, sessionToken: found.Token };
}

/**
 * Of the profile `default` of a credentials file of AWS. It is read each time, as whoever keeps it may renew it.
 * @throws {Error} where it has no key
 */
export async function fileCredentials(file: string): Promise<AwsCredentials> {
  const entries = defaultProfile(await readFile(file, 'utf8'));
  const accessKeyId = entries.get('aws_access_key_id');
  const secretAccessKey = entries.get('aws_secret_access_key');
  if (!accessKeyId || !secretAccessKey) throw new Error('the credentials file has no default key');
  return { accessKeyId, secretAccessKey, sessionToken: entries.get('aws_session_token') };
}

function defaultProfile(text: string): Map<string, string> {
  const [, section = ''] = /^\s*\[default\]([^[]*)/m.exec(text) ?? [];
  const lines = section.matchAll(/^\s*(\w+)\s*=\s*(\S+)/gm);
  return new Map([...lines].map(([, name = '', value = '']) => [name, value]));
}
