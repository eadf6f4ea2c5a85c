import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { problems } from '@glacis/http';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { LocalBuckets } from '../storage/local/local-buckets.js';
import { storeObject } from '../storage/local/store-object.js';
import { ProviderError } from '../storage/provider-error.js';
import type { InputPin } from './lookups.store.js';

interface Place {
  bucket: string;
  key: string;
}

/** Objects of local buckets as agents read and write them: in-buckets as they lie there, sealed. */
@Injectable()
export class Objects {
  constructor(
    @Inject(LocalBuckets) private readonly buckets: LocalBuckets,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
  ) {}

  /** The pinned version and no other. */
  async open({ bucket, key, version }: InputPin): Promise<{ size: number; stream: Readable }> {
    const handle = await this.buckets.openObject(bucket, key, version);
    const { size } = await handle.stat();
    return { size, stream: handle.createReadStream() };
  }

  /**
   * Stores a result and gives its digest. The same bytes once more, as after an answer that was lost, count as stored.
   * @throws Problem 409 for other bytes than those that are there
   */
  async store(place: Place, body: IncomingMessage): Promise<string> {
    const hash = createHash('sha256');
    const source = body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    const maxBytes = this.settings.uploadMaxBytes;
    const hashed = hashing(source, hash);
    const stored = await storeObject(this.buckets, { ...place, maxBytes }, hashed).catch(
      (error: unknown) => {
        if (error instanceof ProviderError && error.code === 'exists') return undefined;
        throw error;
      },
    );
    const sha256 = `sha256:${hash.digest('hex')}`;
    if (stored !== undefined || (await this.digestOf(place)) === sha256) return sha256;
    throw problems.conflict('another result is stored for this attempt');
  }

  private async digestOf({ bucket, key }: Place): Promise<string> {
    const handle = await this.buckets.openObject(bucket, key);
    const hash = createHash('sha256');
    for await (const chunk of handle.createReadStream()) hash.update(chunk as Buffer);
    return `sha256:${hash.digest('hex')}`;
  }
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
