import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { problems } from '@glacis/http';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { ProviderError } from '../storage/provider-error.js';
import type { StorageProvider, StoredBytes } from '../storage/storage-provider.js';
import { StorageProviders } from '../storage/storage-providers.js';
import { providerOfBucket, type InputPin } from './lookups.store.js';

interface Place {
  bucket: string;
  key: string;
}

/** The time that a whole object has. */
const call = { timeoutMs: 600_000 };

/** Objects of buckets as agents read and write them: those of local in-buckets as they lie there, sealed. */
@Injectable()
export class Objects {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(StorageProviders) private readonly storage: StorageProviders,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
  ) {}

  /** The pinned version and no other. */
  async open(pin: InputPin): Promise<StoredBytes> {
    return (await this.providerOf(pin)).read(pin, call);
  }

  /**
   * Stores a result and gives its digest. The same bytes once more, as after an answer that was lost, count as stored.
   * @throws Problem 409 for other bytes than those that are there
   */
  async put(place: Place, body: IncomingMessage): Promise<string> {
    const provider = await this.providerOf(place);
    const hash = createHash('sha256');
    const source = body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    const { uploadMaxBytes: maxBytes } = this.settings;
    const stored = await provider
      .put({ ...place, body: hashing(source, hash), maxBytes }, call)
      .then(() => true, isThere);
    const sha256 = `sha256:${hash.digest('hex')}`;
    if (stored || (await digestOf(provider, place)) === sha256) return sha256;
    throw problems.conflict('another result is stored for this attempt');
  }

  private async providerOf({ bucket }: Place): Promise<StorageProvider> {
    const name = await providerOfBucket(this.store, bucket);
    if (name === undefined) throw problems.notFound();
    return this.storage.of(name);
  }
}

/** @returns false where the key is taken */
function isThere(error: unknown): false {
  if (error instanceof ProviderError && error.code === 'exists') return false;
  throw error;
}

async function digestOf(provider: StorageProvider, place: Place): Promise<string> {
  const hash = createHash('sha256');
  const { stream } = await provider.read(place, call);
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}

async function* hashing(
  source: AsyncIterable<Buffer>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}
