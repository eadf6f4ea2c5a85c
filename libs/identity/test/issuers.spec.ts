import { createHmac } from 'node:crypto';
import { Problem, type Principal } from '@glacis/http';
import { createLogger } from '@glacis/observability';
import { ManualClock, waitFor } from '@glacis/runtime';
import { loadSettings, SettingsError } from '@glacis/settings';
import { UnsecuredJWT } from 'jose';
import { identitySettings, openIdentity, type IdentityOptions } from '../src/index.js';
import { Provider } from './provider.js';

const logger = createLogger({ name: 'test', level: 'silent' });
const minute = 60_000;

let clock: ManualClock;
let provider: Provider;

beforeEach(async () => {
  clock = new ManualClock(new Date());
  provider = await Provider.start();
  await provider.addKey('one');
});

afterEach(() => provider.stop());

function open(env: Record<string, string>): IdentityOptions {
  return openIdentity({ settings: loadSettings(identitySettings, { env }), logger, clock });
}

const openOidc = (more: object = {}, env: Record<string, string> = {}) =>
  open({ GLACIS_TOKENS_OIDC: JSON.stringify([{ issuer: provider.issuer, ...more }]), ...env });

const verify = async ({ verifier }: IdentityOptions, token: string): Promise<Principal> =>
  verifier.verify(`Bearer ${token}`);

/** The status with which a token is refused; 200 when it is not. */
async function status(identity: IdentityOptions, token: string): Promise<number> {
  try {
    await verify(identity, token);
    return 200;
  } catch (error) {
    if (error instanceof Problem) return error.status;
    throw error;
  }
}

describe('an OpenID Connect provider', () => {
  test('is found by its discovery document, and its claims are read', async () => {
    const identity = openOidc();
    const token = await provider.token('one', { jti: 'id-1', roles: ['admin', 'chef'] });
    expect(await verify(identity, token)).toEqual({
      subject: 'ada',
      tenant: 'acme',
      roles: ['admin'],
      tokenId: 'id-1',
      issuer: provider.issuer,
      expiresAt: expect.any(Number),
    });
    await verify(identity, await provider.token('one', { sub: 'bob' }));
    expect(provider.seen).toEqual(['/.well-known/openid-configuration', '/jwks']);
  });

  test('may have a path, RFC 8414 in place of OpenID, or a key set without discovery', async () => {
    const realm = await Provider.start('/realms/one');
    await realm.addKey('one', 'ES256');
    const oidc = (issuer: object) => open({ GLACIS_TOKENS_OIDC: JSON.stringify([issuer]) });
    const { issuer } = realm;
    expect(await status(oidc({ issuer }), await realm.token('one'))).toBe(200);
    const path = '/realms/one/.well-known/openid-configuration';
    realm.answers.set(path, (_request, response) => response.writeHead(404).end());
    const metadata = '/.well-known/oauth-authorization-server/realms/one';
    realm.answers.set(metadata, (_request, response) =>
      response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks` })),
    );
    expect(await status(oidc({ issuer }), await realm.token('one'))).toBe(200);
    realm.answers.delete(metadata);
    expect(await status(oidc({ issuer }), await realm.token('one'))).toBe(503);
    const direct = { issuer, jwks_uri: `${issuer}/jwks` };
    expect(await status(oidc(direct), await realm.token('one'))).toBe(200);
    await realm.stop();
  });

  test('maps its own claims and roles to ours, and speaks for its tenants only', async () => {
    const identity = openOidc({
      tenant_claim: 'https://example.com/org',
      tenants: ['acme', 'beta'],
      roles_claim: 'realm_access.roles',
      roles: { ops: 'platform-admin', owner: 'admin', staff: 'admin' },
    });
    const token = (org: unknown, roles: unknown = []) =>
      provider.token('one', { 'https://example.com/org': org, realm_access: { roles } });
    expect(
      await verify(identity, await token('beta', ['owner', 'staff', 'admin', 'ops'])),
    ).toMatchObject({
      tenant: 'beta',
      roles: ['admin', 'platform-admin'],
    });
    expect(await verify(identity, await token('acme', 'ops other'))).toMatchObject({
      roles: ['platform-admin'],
    });
    expect(await verify(identity, await token(undefined))).toMatchObject({
      tenant: null,
      roles: [],
    });
    expect(await status(identity, await token('gamma'))).toBe(401);
    expect(await status(identity, await token(7))).toBe(401);
    expect(await status(identity, await token('a\nb'))).toBe(401);
    const fixed = openOidc({ tenant: 'acme' });
    expect(await verify(fixed, await provider.token('one', { domain: 'beta' }))).toMatchObject({
      tenant: 'acme',
    });
  });

  test('platform-admin is never taken from a token unless the operator says so', async () => {
    const token = await provider.token('one', {
      roles: ['platform-admin', '__proto__', 'constructor'],
    });
    expect((await verify(openOidc(), token)).roles).toEqual([]);
  });

  test('is believed with its algorithms, audience, kind and times only', async () => {
    await provider.addKey('edge', 'ES384');
    await provider.addKey('pss', 'PS256');
    const identity = openOidc({ algorithms: ['RS256', 'ES384'], audience: 'api' });
    const good = { aud: 'api' };
    const now = Math.floor(clock.now().getTime() / 1000);
    const tokens: [number, string][] = [
      [200, await provider.token('one', good)],
      [200, await provider.token('edge', good, { typ: 'application/at+jwt' })],
      [200, await provider.token('edge', { aud: ['x', 'api'] }, { typ: 'JWT' })],
      [401, await provider.token('pss', good)],
      [401, await provider.token('one')],
      [401, await provider.token('one', good, { typ: 'logout+jwt' })],
      [401, await provider.token('one', { ...good, exp: now - 1 })],
      [401, await provider.token('one', { ...good, nbf: now + 60 })],
      [401, await provider.token('one', { ...good, exp: undefined })],
      [401, await provider.token('one', { ...good, sub: undefined })],
      [401, await provider.token('one', { ...good, iss: `${provider.issuer}/` })],
      [401, new UnsecuredJWT({ iss: provider.issuer, aud: 'api', sub: 'x' }).encode()],
    ];
    for (const [wanted, token] of tokens) expect(await status(identity, token)).toBe(wanted);
  });

  test('a clock that differs is tolerated within the leeway', async () => {
    const identity = openOidc({}, { GLACIS_TOKENS_LEEWAY: '30s' });
    const now = Math.floor(clock.now().getTime() / 1000);
    expect(await status(identity, await provider.token('one', { exp: now - 20 }))).toBe(200);
    expect(await status(identity, await provider.token('one', { nbf: now + 20 }))).toBe(200);
    expect(await status(identity, await provider.token('one', { exp: now - 31 }))).toBe(401);
  });

  test('a new key is noticed with its first token; made-up key ids do not make us ask more often', async () => {
    const identity = openOidc();
    await verify(identity, await provider.token('one'));
    await provider.addKey('two');
    clock.advance(2_000);
    expect(await status(identity, await provider.token('two'))).toBe(200);
    provider.seen.length = 0;
    for (let i = 0; i < 20; i++) {
      expect(
        await status(identity, await provider.token('one', { n: i }, { kid: `made up ${i}` })),
      ).toBe(401);
    }
    expect(provider.seen).toEqual([]);
    clock.advance(2_000);
    const many = Array.from({ length: 20 }, (_, i) =>
      provider.token('one', { n: i }, { kid: `x${i}` }),
    );
    const found = await Promise.all(
      (await Promise.all(many)).map((token) => status(identity, token)),
    );
    expect([new Set(found), provider.seen.length]).toEqual([new Set([401]), 2]);
  });

  test('a withdrawn key counts no longer, also for tokens seen before', async () => {
    await provider.addKey('two');
    const identity = openOidc();
    const token = await provider.token('one');
    await verify(identity, token);
    provider.dropKey('one');
    expect(await status(identity, token)).toBe(200);
    await waitFor(async () => {
      clock.advance(minute);
      return (await status(identity, token)) === 401;
    });
    expect(await status(identity, await provider.token('two'))).toBe(200);
  });

  test('a withdrawn key counts no longer from the moment on that we are told of it', async () => {
    await provider.addKey('two');
    const identity = openOidc();
    const [one, two] = [await provider.token('one'), await provider.token('two')];
    await verify(identity, one);
    provider.dropKey('one');
    clock.advance(2_000);
    identity.verifier.recheck();
    expect([await status(identity, one), await status(identity, two)]).toEqual([401, 200]);
  });

  test('one that does not answer: known keys go on for an hour, the rest is 503 until it is back', async () => {
    const identity = openOidc();
    const answer = (status: number) => () => {
      for (const path of ['/.well-known/openid-configuration', '/jwks']) {
        provider.answers.set(path, (_request, response) => response.writeHead(status).end('{}'));
      }
    };
    answer(500)();
    expect(await status(identity, await provider.token('one'))).toBe(503);
    provider.answers.clear();
    clock.advance(2_000);
    expect(await status(identity, await provider.token('one'))).toBe(200);
    answer(500)();
    clock.advance(30 * minute);
    expect(await status(identity, await provider.token('one', { n: 1 }))).toBe(200);
    await provider.addKey('two');
    expect(await status(identity, await provider.token('two'))).toBe(503);
    clock.advance(31 * minute);
    expect(await status(identity, await provider.token('one', { exp: 4e9 }))).toBe(503);
    provider.answers.clear();
    clock.advance(2_000);
    expect(await status(identity, await provider.token('two', { exp: 4e9 }))).toBe(200);
  });

  test('documents that may not be trusted are as good as none', async () => {
    const { issuer } = provider;
    const path = '/.well-known/openid-configuration';
    const documents: unknown[] = [
      { issuer: `${issuer}/`, jwks_uri: `${issuer}/jwks` },
      { issuer, jwks_uri: 'http://192.0.2.1/jwks' },
      { issuer },
      [],
      'x'.repeat(2 * 1024 ** 2),
    ];
    for (const document of documents) {
      provider.answers.set(path, (_request, response) => response.end(JSON.stringify(document)));
      expect(await status(openOidc(), await provider.token('one'))).toBe(503);
    }
    provider.answers.set(path, (_request, response) =>
      response.writeHead(302, { location: `${issuer}/elsewhere` }).end(),
    );
    expect(await status(openOidc(), await provider.token('one'))).toBe(503);
    expect(provider.seen).not.toContain('/elsewhere');
    provider.answers.clear();
    provider.answers.set('/jwks', (_request, response) =>
      response.end('{"keys":[{"kty":"oct","k":"eA"}]}'),
    );
    expect(await status(openOidc(), await provider.token('one'))).toBe(401);
  });
});

describe('older tokens (backends.md 2.1)', () => {
  const key = 'a shared key of at least thirty-two bytes';
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = () => Math.floor(clock.now().getTime() / 1000);
  const claims = () => ({
    iss: 'magistrala.auth',
    exp: now() + 60,
    type: 0,
    user: 'user-1',
    sub: 'acme_user-1',
    domain: 'acme',
  });

  function older(changes: object = {}, header: object = {}, secret = key, hash = 'sha512'): string {
    const input = `${encode({ alg: 'HS512', typ: 'JWT', ...header })}.${encode({ ...claims(), ...changes })}`;
    return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
  }

  test('are accepted with the configured key, as members of their domain', async () => {
    const identity = open({ GLACIS_TOKENS_OLDER_KEY: key });
    expect(await verify(identity, older())).toEqual({
      subject: 'user-1',
      tenant: 'acme',
      roles: [],
      tokenId: expect.stringMatching(/^sha256:/),
      issuer: 'magistrala.auth',
      expiresAt: now() + 60,
    });
    expect(await verify(identity, older({ domain: '', roles: ['platform-admin'] }))).toMatchObject({
      tenant: null,
      roles: [],
    });
    expect(
      await verify(identity, older({ jti: 'j', user: undefined }, { typ: undefined })),
    ).toMatchObject({
      tokenId: 'j',
      subject: 'acme_user-1',
    });
  });

  test('of another key, algorithm, kind, issuer or time are not', async () => {
    const identity = open({ GLACIS_TOKENS_OLDER_KEY: key });
    const bad = [
      older({}, {}, 'another shared key of thirty-two bytes'),
      older({}, { alg: 'HS256' }, key, 'sha256'),
      older({}, { alg: 'none' }),
      older({ type: 1 }),
      older({ type: '0' }),
      older({ type: undefined }),
      older({ iss: 'glacis' }),
      older({ exp: now() }),
      older({ exp: undefined }),
      older({ user: undefined, sub: undefined }),
      older({ user: 'a\nb' }),
      older({}, { typ: 'at+jwt' }),
    ];
    for (const token of bad) expect(await status(identity, token)).toBe(401);
  });

  test('a key of another issuer is never taken for theirs', async () => {
    const oidc = JSON.stringify([{ issuer: provider.issuer }]);
    const identity = open({ GLACIS_TOKENS_OLDER_KEY: key, GLACIS_TOKENS_OIDC: oidc });
    expect(await status(identity, older({ iss: provider.issuer, aud: 'glacis' }))).toBe(401);
    expect(
      await status(identity, await provider.token('one', { iss: 'magistrala.auth', type: 0 })),
    ).toBe(401);
    expect(await status(identity, older())).toBe(200);
  });
});

describe('settings', () => {
  const faults = async (env: Record<string, string>): Promise<string> => {
    try {
      open(env);
    } catch (error) {
      if (error instanceof SettingsError) return error.message;
      throw error;
    }
    throw new Error('the settings hold');
  };

  test('name what does not hold, and never show the key', async () => {
    const issuer = 'https://id.example';
    expect(await faults({})).toContain('no token could be verified');
    expect(await faults({ GLACIS_TOKENS_GATEWAY_URLS: 'http://gateway:8080' })).toContain(
      'GLACIS_TOKENS_ALLOW_HTTP',
    );
    expect(await faults({ GLACIS_TOKENS_OLDER_KEY: 'short' })).not.toContain('short');
    const bad: [string, string][] = [
      ['{', 'expected JSON'],
      ['{}', 'expected array'],
      ['[{"issuer":"http://id.example"}]', '0.issuer: expected an https URL'],
      [`[{"issuer":"${issuer}","algorithms":["HS256"]}]`, '0.algorithms.0'],
      [`[{"issuer":"${issuer}","algorithms":["none"]}]`, '0.algorithms.0'],
      [`[{"issuer":"${issuer}","roles":{"x":"root"}}]`, '0.roles.x'],
      [`[{"issuer":"${issuer}","extra":1}]`, 'extra'],
      [`[{"issuer":"${issuer}"},{"issuer":"${issuer}"}]`, 'listed twice'],
    ];
    for (const [text, reason] of bad)
      expect(await faults({ GLACIS_TOKENS_OIDC: text })).toContain(reason);
  });
});
