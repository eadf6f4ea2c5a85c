import {
  CallerParam,
  Operation,
  pageQuery,
  problems,
  trimmedText,
  zBody,
  zQuery,
  type Caller,
} from '@glacis/http';
import { durationMs } from '@glacis/settings';
import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Param,
  Post,
  Query,
} from '@nestjs/common';
import { z } from 'zod';
import { roleNames, type Token } from './token.entity.js';
import { TokensService } from './tokens.service.js';

const newToken = z.object({
  subject: trimmedText(255),
  tenant: trimmedText(255).nullable().optional(),
  roles: z
    .array(z.enum(roleNames))
    .min(1, { error: 'at least one role' })
    .max(roleNames.length)
    .refine((roles) => new Set(roles).size === roles.length, { error: 'a role is named twice' }),
  ttl: durationMs.optional(),
});

const createdReply = z.object({ token: z.string(), id: z.string(), expires_at: z.string() });

const tokenReply = z.object({
  id: z.string(),
  subject: z.string(),
  tenant: z.string().optional(),
  roles: z.array(z.enum(roleNames)),
  created_at: z.string(),
  created_by: z.string(),
  expires_at: z.string(),
  revoked_at: z.string().optional(),
  revoked_by: z.string().optional(),
});

const listReply = z.object({
  total: z.number(),
  offset: z.number().optional(),
  limit: z.number(),
  tokens: z.array(tokenReply),
});

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

@Controller('tokens')
export class TokensController {
  constructor(private readonly tokens: TokensService) {}

  @Post()
  @Header('Cache-Control', 'no-store')
  @Operation({
    access: 'administrator',
    summary: 'Make a token; its text is shown this one time',
    description:
      'An administrator of a tenant makes tokens of that tenant, a platform administrator any. `tenant` is the ' +
      'own one unless named; `ttl` is a duration such as `24h`.',
    body: newToken,
    reply: createdReply,
    status: 201,
  })
  async create(
    @CallerParam() caller: Caller,
    @Body(zBody(newToken)) body: z.output<typeof newToken>,
  ): Promise<z.input<typeof createdReply>> {
    const { token, id, expiresAt } = await this.tokens.create(caller, body);
    return { token, id, expires_at: expiresAt.toISOString() };
  }

  @Get()
  @Operation({
    access: 'administrator',
    summary: 'Tokens, the newest first, never their text',
    query: pageQuery,
    reply: listReply,
  })
  async list(
    @CallerParam() caller: Caller,
    @Query(zQuery(pageQuery)) page: z.output<typeof pageQuery>,
  ): Promise<z.input<typeof listReply>> {
    const { offset, limit } = page;
    const { total, tokens } = await this.tokens.list(caller, page);
    return { total, ...(offset === 0 ? {} : { offset }), limit, tokens: tokens.map(view) };
  }

  @Get(':id')
  @Operation({
    access: 'administrator',
    summary: 'One token, never its text',
    reply: tokenReply,
    errors: ['not-found'],
  })
  async get(
    @CallerParam() caller: Caller,
    @Param('id') id: string,
  ): Promise<z.input<typeof tokenReply>> {
    return view(await this.tokens.get(caller, knownForm(id)));
  }

  @Delete(':id')
  @HttpCode(204)
  @Operation({
    access: 'administrator',
    summary: 'Revoke a token: it is refused at once, everywhere',
    status: 204,
    errors: ['not-found'],
  })
  async revoke(@CallerParam() caller: Caller, @Param('id') id: string): Promise<void> {
    await this.tokens.revoke(caller, knownForm(id));
  }
}

/** An id that cannot be one is like an unknown one. */
function knownForm(id: string): string {
  if (uuid.test(id)) return id;
  throw problems.notFound('no such token');
}

function view(token: Token): z.input<typeof tokenReply> {
  const { id, subject, tenant, roles, createdAt, createdBy, expiresAt, revokedAt, revokedBy } =
    token;
  return {
    id,
    subject,
    tenant: tenant ?? undefined,
    roles,
    created_at: createdAt.toISOString(),
    created_by: createdBy,
    expires_at: expiresAt.toISOString(),
    revoked_at: revokedAt?.toISOString(),
    revoked_by: revokedBy ?? undefined,
  };
}
