import { Operation, zQuery } from '@glacis/http';
import { TokenIssuer } from '@glacis/identity';
import { Controller, Get, Header, Query } from '@nestjs/common';
import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';
import { Revocations } from './revocations.js';
import { watermark } from './watermark.js';

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })) });

const since = z.object({ since: watermark.optional() });

const revokedTokens = z.object({
  revoked: z.array(z.object({ id: z.string(), expires_at: z.string() })),
  watermark,
  more: z.boolean(),
});

/** What verifiers elsewhere need: the keys, and the ids of revoked tokens (nobody can do anything with an id). */
@Controller('.well-known')
export class WellKnownController {
  constructor(
    private readonly issuer: TokenIssuer,
    private readonly revocations: Revocations,
  ) {}

  @Get('jwks.json')
  @Header('Cache-Control', 'public, max-age=300')
  @Operation({
    access: 'public',
    summary: 'Public keys of the token issuer (RFC 7517)',
    reply: keySet,
  })
  jwks(): Promise<JSONWebKeySet> {
    return this.issuer.jwks();
  }

  @Get('revoked-tokens')
  @Header('Cache-Control', 'no-store')
  @Operation({
    access: 'public',
    summary: 'Ids of revoked tokens that have not expired yet',
    description:
      'Without `since` all of them; with the `watermark` of an answer those recorded from then on. An id may come ' +
      'twice, none is left out. `more`: ask again at once.',
    query: since,
    reply: revokedTokens,
  })
  async revoked(
    @Query(zQuery(since)) query: z.output<typeof since>,
  ): Promise<z.input<typeof revokedTokens>> {
    const page = await this.revocations.since(query.since ?? null);
    const revoked = page.revoked.map(({ id, expiresAt }) => ({
      id,
      expires_at: expiresAt.toISOString(),
    }));
    return { revoked, watermark: page.watermark, more: page.more };
  }
}
