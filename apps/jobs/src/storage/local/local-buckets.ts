import { constants } from 'node:fs';
import {
  link,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { join } from 'node:path';
import { readBucketName } from '../names.js';
import { ProviderError } from '../provider-error.js';
import type { BucketTags, FoundBucket, NewBucket, StoredObject } from '../storage-provider.js';
import { failureOf, isMissing, isThere } from './file-errors.js';
import { plainLength } from './sealed-length.js';

/** What is kept of a bucket beside its objects. */
export interface Bucket extends NewBucket {
  /** In whose name it was asked for. */
  provider: string;
}

/** Where the objects of a bucket lie: the name of the folder tells whether it still takes any. */
const [taking, frozen] = ['objects', 'frozen'];

/**
 * Buckets as folders: `bucket.json`; `incoming` for what is on its way; `objects`, which is called `frozen` while nothing
 * may be added. Every step is one operation of the file system that happens whole or not at all, so that neither a second
 * process nor a kill sees anything between.
 */
export class LocalBuckets {
  constructor(private readonly root: string) {}

  async create(bucket: Bucket): Promise<void> {
    const place = this.folder(bucket.name);
    await mkdir(this.root, { recursive: true, mode: 0o700 });
    const draft = await mkdtemp(join(this.root, '.draft-'));
    try {
      for (const part of [taking, 'incoming']) await mkdir(join(draft, part));
      await writeFile(join(draft, 'bucket.json'), JSON.stringify(bucket));
      await rename(draft, place);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      if (!isThere(error)) throw failureOf(error);
      const present = await this.read(bucket.name);
      if (JSON.stringify(present) !== JSON.stringify(JSON.parse(JSON.stringify(bucket))))
        throw new ProviderError('exists', 'the bucket belongs to something else');
    }
  }

  async read(name: string): Promise<Bucket> {
    const text = await readFile(join(this.folder(name), 'bucket.json'), 'utf8').catch(fail);
    const kept = JSON.parse(text) as Bucket & { tags: { expires: string } };
    return { ...kept, tags: { ...kept.tags, expires: new Date(kept.tags.expires) } };
  }

  /** Every bucket that is there; what is just being made or removed is left out. */
  async all(): Promise<FoundBucket[]> {
    const names = await readdir(this.root).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw failureOf(error);
    });
    const ours = names.filter((name) => readBucketName(name) !== undefined);
    const found = await Promise.all(ours.map((name) => this.tagsOf(name)));
    return found.filter((each) => each !== undefined);
  }

  /** A new file for what is on its way into a bucket, and its path. */
  async incoming(bucket: string, id: string): Promise<{ file: string; handle: FileHandle }> {
    const file = join(this.folder(bucket), 'incoming', id);
    return { file, handle: await open(file, 'wx', 0o600).catch(fail) };
  }

  /**
   * Makes a whole file an object. Of several for one key, here or in other processes, the first one wins.
   * @throws {ProviderError} `exists`; `invalid` while the bucket is frozen
   */
  async admit(file: string, bucket: string, key: string): Promise<StoredObject> {
    const folder = this.folder(bucket);
    const object = join(folder, taking, fileName(key));
    try {
      await link(file, object);
    } catch (error) {
      throw await this.refusal(error, bucket);
    }
    await syncFolder(join(folder, taking));
    return this.object(bucket, object, key);
  }

  /** As `admit` would fail, before anything is sent. */
  async mayAdmit(bucket: string, key: string): Promise<void> {
    const folder = this.folder(bucket);
    if (await isPresent(join(folder, frozen)))
      throw new ProviderError('invalid', 'the bucket is frozen');
    if (await isPresent(join(folder, taking, fileName(key))))
      throw new ProviderError('exists', 'there is an object already');
  }

  async list(bucket: string, prefix: string): Promise<StoredObject[]> {
    const folder = await this.objects(bucket);
    const names = await readdir(folder).catch(fail);
    const keys = names.map(decodeURIComponent).filter((key) => key.startsWith(prefix));
    const found = keys.map((key) => this.object(bucket, join(folder, fileName(key)), key));
    return (await Promise.all(found)).toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  /**
   * Opens the bytes of an object, sealed as they lie there. The caller closes the handle.
   * @param version of a pin; absent: whichever is there
   */
  async openObject(bucket: string, key: string, version?: string): Promise<FileHandle> {
    const file = join(await this.objects(bucket), fileName(key));
    const handle = await open(file, constants.O_RDONLY).catch(fail);
    const { mtimeNs, size } = await handle.stat({ bigint: true });
    if (version === undefined || version === versionOf(mtimeNs, size)) return handle;
    await handle.close();
    throw new ProviderError('not_found', 'there is another version of the object');
  }

  async freeze(bucket: string): Promise<void> {
    await this.renamed(bucket, taking, frozen);
  }

  async unfreeze(bucket: string): Promise<void> {
    await this.renamed(bucket, frozen, taking);
  }

  async remove(bucket: string, key: string): Promise<void> {
    const folder = this.folder(bucket);
    for (const part of [taking, frozen])
      await rm(join(folder, part, fileName(key)), { force: true });
  }

  async delete(bucket: string): Promise<void> {
    // Under another name first, so that nobody finds half a bucket.
    const leaving = join(this.root, `.leaving-${bucket}`);
    await rename(this.folder(bucket), leaving).catch(ignoreMissing);
    await rm(leaving, { recursive: true, force: true }).catch(fail);
  }

  /** Removes what killed processes left behind, once nobody can be at work on it any more. */
  async removeLeftovers(olderThanMs: number): Promise<void> {
    const names = await readdir(this.root).catch(() => []);
    const drafts = names
      .filter((name) => name.startsWith('.'))
      .map((name) => join(this.root, name));
    const buckets = names.filter((name) => readBucketName(name) !== undefined);
    const uploads = buckets.map(async (name) => {
      const folder = join(this.folder(name), 'incoming');
      return (await readdir(folder).catch(() => [])).map((file) => join(folder, file));
    });
    for (const path of [...drafts, ...(await Promise.all(uploads)).flat()]) {
      const made = await stat(path).catch(() => undefined);
      const old = made !== undefined && Date.now() - made.mtimeMs > olderThanMs;
      if (old) await rm(path, { recursive: true, force: true });
    }
  }

  private folder(bucket: string): string {
    if (readBucketName(bucket) === undefined)
      throw new ProviderError('not_found', 'there is no such bucket');
    return join(this.root, bucket);
  }

  private async objects(bucket: string): Promise<string> {
    const folder = this.folder(bucket);
    const open = join(folder, taking);
    return (await isPresent(open)) ? open : join(folder, frozen);
  }

  private async object(bucket: string, file: string, key: string): Promise<StoredObject> {
    const [{ sealKey }, { mtimeNs, size }] = await Promise.all([
      this.read(bucket),
      stat(file, { bigint: true }).catch(fail),
    ]);
    const version = versionOf(mtimeNs, size);
    const bytes = Number(size);
    const plain = sealKey === null ? bytes : plainLength(bytes);
    return { bucket, key, version, size: plain, etag: `"${version}"` };
  }

  private async tagsOf(name: string): Promise<{ name: string; tags: BucketTags } | undefined> {
    const bucket = await this.read(name).catch(() => undefined);
    return bucket && { name, tags: bucket.tags };
  }

  private async renamed(bucket: string, from: string, to: string): Promise<void> {
    const folder = this.folder(bucket);
    try {
      await rename(join(folder, from), join(folder, to));
    } catch (error) {
      if (!isMissing(error) || !(await isPresent(join(folder, to)))) throw failureOf(error);
    }
    await syncFolder(folder);
  }

  private async refusal(error: unknown, bucket: string): Promise<ProviderError> {
    if (isThere(error)) return new ProviderError('exists', 'there is an object already', error);
    const isFrozen = isMissing(error) && (await isPresent(join(this.folder(bucket), frozen)));
    return isFrozen
      ? new ProviderError('invalid', 'the bucket is frozen', error)
      : failureOf(error);
  }
}

/** Objects never change, so time and length of the file tell one from its successor. */
function versionOf(mtimeNs: bigint, size: bigint): string {
  return `${mtimeNs.toString(16)}-${size.toString(16)}`;
}

/** A key holds slashes; the longest one still fits a name. */
const fileName = (key: string): string => encodeURIComponent(key).replaceAll('.', '%2E');

async function isPresent(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function fail(error: unknown): never {
  throw failureOf(error);
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw failureOf(error);
}
