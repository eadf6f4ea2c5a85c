import { z } from 'zod';
import { fetchJson } from './fetch-json.js';
import type { GatewaySource } from './gateway-source.js';
import type { RevocationPage } from './revocation-feed.js';

/** The gateway as its door answers, for services that cannot call it. */
export class GatewayClient implements GatewaySource {
  private next = 0;

  /** @param urls where its replicas are reached; each question goes to the next one when one does not answer */
  constructor(private readonly urls: readonly string[]) {}

  keySet(): Promise<unknown> {
    return this.get('/.well-known/jwks.json');
  }

  async revokedSince(watermark: string | null): Promise<RevocationPage> {
    const query = watermark === null ? '' : `?since=${encodeURIComponent(watermark)}`;
    return revocationPage.parse(await this.get(`/.well-known/revoked-tokens${query}`));
  }

  private async get(path: string): Promise<unknown> {
    let failure: unknown;
    for (let tried = 0; tried < this.urls.length; tried++) {
      try {
        return await fetchJson(`${this.urls[this.next]}${path}`);
      } catch (error) {
        failure = error;
        this.next = (this.next + 1) % this.urls.length;
      }
    }
    throw failure;
  }
}

const revocationPage = z
  .object({
    revoked: z.array(
      z.object({ id: z.string(), expires_at: z.iso.datetime().transform((at) => new Date(at)) }),
    ),
    watermark: z.string().max(64),
    more: z.boolean(),
  })
  .transform(({ revoked, watermark, more }) => ({
    revoked: revoked.map(({ id, expires_at: expiresAt }) => ({ id, expiresAt })),
    watermark,
    more,
  }));
