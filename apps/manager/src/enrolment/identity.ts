import { createHash } from 'node:crypto';
import {
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { join } from 'node:path';
import { generateKeys, privateKeyPem } from '@glacis/pki';
import { readIfThere, writeSecretFile } from '@glacis/runtime';

/** What a host has by enrolment, as PEM texts. */
export interface Identity {
  /** Roots that a server must chain to. */
  ca: string;
  /** The certificate, then its chain. */
  cert: string;
  key: string;
  /** `host:port` of EST, where it is renewed. */
  server: string;
  /** SHA-256 of the token that it came by, in hex: a repeat of the same enrolment is known by it. */
  enrolledBy: string;
}

const files = {
  ca: 'ca.pem',
  cert: 'cert.pem',
  key: 'key.pem',
  server: 'server',
  enrolledBy: 'enrolled-by',
} as const;
const members = Object.keys(files) as (keyof Identity)[];
const pendingKey = 'enrol-key.pem';
const prefix = 'identity-';

/**
 * The identity in the state folder. Its files lie in a folder of their own that the link `current` names, so that
 * replacing the link replaces all of them at once; `ca.pem`, `cert.pem` and `key.pem` lead there.
 */
export class IdentityStore {
  constructor(private readonly folder: string) {}

  /** Undefined before the first enrolment. */
  async read(): Promise<Identity | undefined> {
    const present = await realpath(this.at('current')).catch(ifMissing);
    if (present === undefined) return undefined;
    const texts = await Promise.all(
      members.map(async (member) => [member, await readFile(join(present, files[member]), 'utf8')]),
    );
    return Object.fromEntries(texts) as Identity;
  }

  /**
   * The key to enrol with, in PEM: the present one if it came by this token, else the one of an enrolment that did not
   * come to its end, else a new one. So the same command, repeated, asks with the same key, and another token, as is
   * given after a compromise, with another.
   */
  async enrolmentKey(tokenSha256: string): Promise<string> {
    const present = await this.read();
    if (present?.enrolledBy === tokenSha256) return present.key;
    const pending = await readIfThere(this.at(pendingKey));
    if (pending !== null) return pending;
    const { privateKey } = await generateKeys('ECDSA-P256');
    const key = privateKeyPem(privateKey);
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeSecretFile(this.at(pendingKey), key);
    return key;
  }

  /** Replaces the identity. Killed at any point, it leaves the old one or the new one whole. */
  async write(identity: Identity): Promise<void> {
    const name = nameOf(identity);
    await mkdir(this.at(name), { recursive: true, mode: 0o700 });
    for (const member of members) {
      await writeSecretFile(this.at(name, files[member]), identity[member]);
    }
    for (const file of [files.ca, files.cert, files.key]) {
      await symlink(join('current', file), this.at(file)).catch(ifThere);
    }
    const before = await readlink(this.at('current')).catch(ifMissing);
    await rm(this.at('current.new'), { force: true });
    await symlink(name, this.at('current.new'));
    await rename(this.at('current.new'), this.at('current'));
    await this.clean([name, before]);
  }

  /** The one before stays until the next change, as somebody may be reading it. */
  private async clean(kept: readonly (string | undefined)[]): Promise<void> {
    await rm(this.at(pendingKey), { force: true });
    const names = await readdir(this.folder);
    const old = names.filter((name) => name.startsWith(prefix) && !kept.includes(name));
    await Promise.all(old.map((name) => rm(this.at(name), { recursive: true, force: true })));
  }

  private at(...path: string[]): string {
    return join(this.folder, ...path);
  }
}

/** The same identity written again, after a kill, lands in the same folder. */
function nameOf(identity: Identity): string {
  const hash = createHash('sha256');
  for (const member of members) hash.update(identity[member]).update('\0');
  return `${prefix}${hash.digest('hex').slice(0, 16)}`;
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function ifThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
