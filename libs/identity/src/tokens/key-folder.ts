import type { KeyObject } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { z } from 'zod';
import { createFile, pemOf, readKey, replaceFile } from './key-file.js';
import {
  keyRing,
  newSigningKey,
  retiredAfter,
  type IssuerKeys,
  type KeyRing,
  type RetiredKey,
} from './key-ring.js';

const signingFile = 'signing-key.pem';
const retiredFile = /^retired-[\w-]+\.json$/;

const retiredKey = z.object({
  jwk: z.custom<JWK>((jwk) => typeof (jwk as JWK | null)?.kid === 'string'),
  until: z.iso.datetime().transform((text) => new Date(text)),
});

/**
 * Keys in a folder that several processes may share: `signing-key.pem` and, after rotations, the public part of each
 * key that still verifies in `retired-<key id>.json`. Every use looks whether another process has rotated.
 */
export class KeyFolder implements IssuerKeys {
  private known: { version: string; ring: Promise<KeyRing> } | undefined;

  private constructor(private readonly folder: string) {}

  /**
   * Makes folder (0700) and key (0600) when absent. Several starters at once get the same key, and a crash at any
   * moment leaves either no key or a whole one.
   * @throws {KeyFileError} when others may read the key, or it is no Ed25519 key
   */
  static async open(folder: string): Promise<KeyFolder> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, signingFile);
    if (!(await readKey(path))) await createFile(path, pemOf(newSigningKey()));
    const keys = new KeyFolder(folder);
    await keys.current();
    return keys;
  }

  async current(): Promise<KeyRing> {
    // A rotation replaces the file, last of all that it does.
    const { ino, mtimeMs } = await stat(join(this.folder, signingFile));
    const version = `${ino} ${mtimeMs}`;
    if (this.known?.version === version) return this.known.ring;
    const ring = this.read();
    this.known = { version, ring };
    ring.catch(() => (this.known = undefined));
    return ring;
  }

  async rotate(key: KeyObject, until: Date, now: Date): Promise<void> {
    const retired = retiredAfter(await this.current(), until, now);
    for (const each of retired) await replaceFile(this.retiredPath(each), JSON.stringify(each));
    await this.dropAllBut(retired);
    await replaceFile(join(this.folder, signingFile), pemOf(key));
  }

  private async read(): Promise<KeyRing> {
    const path = join(this.folder, signingFile);
    const key = await readKey(path);
    if (key === undefined) throw new Error(`${path} is gone`);
    return keyRing(key, await this.readRetired());
  }

  private async readRetired(): Promise<RetiredKey[]> {
    const names = (await readdir(this.folder)).filter((name) => retiredFile.test(name));
    return Promise.all(
      names.map(async (name) =>
        retiredKey.parse(JSON.parse(await readFile(join(this.folder, name), 'utf8'))),
      ),
    );
  }

  private async dropAllBut(retired: readonly RetiredKey[]): Promise<void> {
    const kept = new Set(retired.map((each) => this.retiredPath(each)));
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      if (retiredFile.test(name) && !kept.has(path)) await rm(path, { force: true });
    }
  }

  private retiredPath({ jwk }: RetiredKey): string {
    return join(this.folder, `retired-${jwk.kid}.json`);
  }
}
