import { Operation } from '@glacis/http';
import { TokenIssuer } from '@glacis/identity';
import { Controller, Get, Header } from '@nestjs/common';
import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })) });

@Controller('.well-known')
export class WellKnownController {
  constructor(private readonly issuer: TokenIssuer) {}

  @Get('jwks.json')
  @Header('Cache-Control', 'public, max-age=300')
  @Operation({
    access: 'public',
    summary: 'Public keys of the token issuer (RFC 7517)',
    reply: keySet,
  })
  jwks(): JSONWebKeySet {
    return this.issuer.jwks();
  }
}
