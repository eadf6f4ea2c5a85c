import {
  defineSettings,
  durationMs,
  flag,
  json,
  optionalText,
  secret,
  setting,
  text,
  urls,
  type Setting,
  type SettingsDefinition,
  type Values,
} from '@glacis/settings';
import { oidcIssuers, type OidcIssuerSettings } from './tokens/oidc-settings.js';
import { maxLeewaySeconds } from './tokens/revoked-tokens.js';

/** Whose tokens a program accepts. All programs of a deployment have the same values. */
export const identitySettings: SettingsDefinition<{
  issuer: Setting<string>;
  audience: Setting<string>;
  gatewayUrls: Setting<string[]>;
  allowHttp: Setting<boolean>;
  refresh: Setting<number>;
  stale: Setting<number>;
  revocationPoll: Setting<number>;
  leeway: Setting<number>;
  oidc: Setting<OidcIssuerSettings[]>;
  olderIssuer: Setting<string>;
  olderKey: Setting<string | undefined>;
}> = defineSettings('GLACIS_TOKENS_', {
  issuer: setting(text, 'glacis', '`iss` of the tokens that the gateway makes.'),
  audience: setting(text, 'glacis', '`aud` that a token must carry.'),
  gatewayUrls: setting(
    urls,
    '',
    'Where a service that runs apart and cannot call the gateway (`GLACIS_GATEWAY_GRPC_URL`) reaches the doors of its replicas, for its keys and its revoked tokens.',
  ),
  allowHttp: setting(
    flag,
    'false',
    'Lets `GLACIS_TOKENS_GATEWAY_URLS` be plain http to other machines: whoever can change traffic there can make tokens.',
  ),
  refresh: setting(
    durationMs,
    '5m',
    'Time between two reads of the keys of an issuer; a token with an unknown key has them read at once.',
  ),
  stale: setting(
    durationMs,
    '1h',
    'How long keys and revocations still count while their issuer does not answer; after that its tokens are answered 503.',
  ),
  revocationPoll: setting(
    durationMs,
    '500ms',
    'Time between two reads of the revoked tokens, for those whose broadcast was lost.',
  ),
  leeway: setting(
    durationMs.refine((ms) => ms <= maxLeewaySeconds * 1000, { error: 'expected at most 60s' }),
    '0s',
    'By how much the clock of an issuer may differ from ours, at most 60s.',
  ),
  oidc: setting(
    json(oidcIssuers),
    '[]',
    'OpenID Connect providers whose tokens are accepted: a JSON list of objects with `issuer` and, if needed, `jwks_uri`, `audience`, `algorithms`, `tenant` or `tenant_claim` and `tenants`, `roles_claim`, `roles`; see libs/identity.',
  ),
  olderIssuer: setting(text, 'magistrala.auth', '`iss` of older tokens.'),
  olderKey: secret(
    optionalText.refine((key) => key === undefined || Buffer.byteLength(key) >= 32, {
      error: 'expected at least 32 bytes',
    }),
    '',
    'HS512 key of older tokens (claims `domain`, `user`, `type`); empty: none are accepted.',
  ),
});

export type IdentitySettings = Values<typeof identitySettings.shape>;
