import { createVerify, type KeyObject } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Permissions in the whole project, or in buckets whose names begin so. */
export interface Grant {
  permissions: readonly string[];
  buckets?: string;
}

/** A service account: the key that it signs with, and what it may do beside what policies of buckets say. */
export interface GcsAccount {
  email: string;
  publicKey: KeyObject;
  grants: readonly Grant[];
}

export type Who = 'janitor' | 'signer' | 'party';

export interface BucketPolicy {
  bindings?: { role: string; members: string[] }[];
}

/** Of a token. */
interface Claims {
  sub: string;
  scope: string;
  exp: number;
}

/** What the roles that policies of buckets name consist of, as far as anything here asks for it. */
const roles: Record<string, readonly string[]> = {
  'roles/storage.objectCreator': ['storage.objects.create'],
  'roles/storage.objectViewer': ['storage.objects.get'],
};

/** Who may do what, and did. */
export class GcsAccounts {
  /** Permissions that were needed. */
  readonly used: Readonly<Record<Who, Set<string>>> = {
    janitor: new Set(),
    signer: new Set(),
    party: new Set(),
  };

  constructor(private readonly all: Readonly<Record<Who, GcsAccount>>) {}

  nameOf(email: string): Who | undefined {
    return (Object.keys(this.all) as Who[]).find((who) => this.all[who].email === email);
  }

  keyOf(who: Who): KeyObject {
    return this.all[who].publicKey;
  }

  /**
   * Who calls: without a token the janitor, as the client sends none to a stand-in. Others sign their tokens themselves
   * (AIP-4111). Undefined for one that is not good.
   */
  callerOf({ authorization }: IncomingHttpHeaders, now: Date): Who | undefined {
    if (authorization === undefined) return 'janitor';
    const [header = '', claims = '', signature = ''] = authorization
      .replace('Bearer ', '')
      .split('.');
    const { sub, scope, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Claims;
    const who = this.nameOf(sub);
    const isMeant = scope === 'https://www.googleapis.com/auth/devstorage.read_only';
    if (who === undefined || !isMeant || exp * 1000 < now.getTime()) return undefined;
    const verifier = createVerify('RSA-SHA256').update(`${header}.${claims}`);
    return verifier.verify(this.keyOf(who), signature, 'base64url') ? who : undefined;
  }

  /** Whether one may; that it was needed is noted. */
  may(who: Who, permission: string, bucket: { name: string; policy?: BucketPolicy }): boolean {
    const { email, grants } = this.all[who];
    const bound = (bucket.policy?.bindings ?? [])
      .filter(({ members }) => members.includes(`serviceAccount:${email}`))
      .flatMap(({ role }) => roles[role] ?? []);
    const held = grants
      .filter(({ buckets = '' }) => bucket.name.startsWith(buckets))
      .flatMap(({ permissions }) => permissions);
    this.used[who].add(permission);
    return [...bound, ...held].includes(permission);
  }
}

/** The permission that a call of the JSON API needs (Cloud Storage, "IAM permissions for JSON methods"). */
export function neededFor(
  method: string,
  { name, part, key = '' }: { name: string; part: string | undefined; key: string | undefined },
): string {
  const of = (on: string, verb: string): string => `storage.${on}.${verb}`;
  if (name === '') return of('buckets', method === 'POST' ? 'create' : 'list');
  if (part === 'iam') return of('buckets', method === 'PUT' ? 'setIamPolicy' : 'getIamPolicy');
  if (part !== 'o') return of('buckets', method === 'DELETE' ? 'delete' : 'get');
  if (method === 'DELETE') return of('objects', 'delete');
  return of('objects', key === '' ? 'list' : 'get');
}
