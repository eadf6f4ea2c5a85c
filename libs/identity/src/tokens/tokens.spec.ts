import {
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import { Problem, type Principal } from '@glacis/http';
import { ManualClock } from '@glacis/runtime';
import fc from 'fast-check';
import { RevocationFeed, type RevocationSource } from './revocation-feed.js';
import { RevokedTokens } from './revoked-tokens.js';
import { TokenIssuer } from './token-issuer.js';
import { TokenVerifier, type TokenVerifierOptions } from './token-verifier.js';

const hour = 3_600_000;
const request = { subject: 'ops', tenant: 'acme', roles: ['admin'], ttlMs: hour };

async function suite(options: Partial<TokenVerifierOptions> = {}) {
  const clock = new ManualClock();
  const key = generateKeyPairSync('ed25519').privateKey;
  const issuer = await TokenIssuer.fromKey(key, { clock });
  const revoked = new RevokedTokens(clock);
  const verifier = new TokenVerifier({ issuers: [issuer.trusted()], revoked, clock, ...options });
  const now = () => Math.floor(clock.now().getTime() / 1000);
  const goodClaims = () => ({
    iss: 'glacis',
    aud: 'glacis',
    sub: 'ops',
    domain: 'acme',
    roles: ['member'],
    jti: 'token-1',
    iat: now(),
    exp: now() + 60,
  });
  return { clock, key, issuer, revoked, verifier, goodClaims };
}

async function keyOf(issuer: TokenIssuer) {
  const [key] = (await issuer.jwks()).keys;
  if (key === undefined) throw new Error('no key');
  return key;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWS made by hand, so that every part of it can be wrong. */
function jws(header: object, claims: object, signer: (input: Buffer) => Buffer): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${signer(Buffer.from(input)).toString('base64url')}`;
}

const eddsa = (key: KeyObject) => (input: Buffer) => sign(null, input, key);

async function answer(verifier: TokenVerifier, header: string | undefined): Promise<Principal> {
  return verifier.verify(header);
}

async function refusal(verifier: TokenVerifier, header: string | undefined): Promise<string> {
  try {
    await verifier.verify(header);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return error.detail;
    throw error;
  }
  throw new Error('the token was accepted');
}

describe('a good token', () => {
  test('says who it speaks for', async () => {
    const { issuer, verifier, clock } = await suite();
    const { token, id, expiresAt } = await issuer.issue(request);
    expect(await answer(verifier, `Bearer ${token}`)).toEqual({
      subject: 'ops',
      tenant: 'acme',
      roles: ['admin'],
      tokenId: id,
      issuer: 'glacis',
      expiresAt: clock.now().getTime() / 1000 + 3600,
    });
    expect(expiresAt.getTime() - clock.now().getTime()).toBe(hour);
  });

  test('may belong to no tenant, and the scheme may be written in any case', async () => {
    const { issuer, verifier } = await suite();
    const { token } = await issuer.issue({ ...request, tenant: null });
    expect((await answer(verifier, `bearer  ${token}`)).tenant).toBeNull();
  });

  test('is answered without a promise from the second time on', async () => {
    const { issuer, verifier } = await suite();
    const header = `Bearer ${(await issuer.issue(request)).token}`;
    const first = verifier.verify(header);
    expect(first).toBeInstanceOf(Promise);
    const principal = await first;
    expect(verifier.verify(header)).toBe(principal);
  });

  test('carries its tenant, roles and id in the claims, and its key id in the header', async () => {
    const { issuer } = await suite();
    const { token, id } = await issuer.issue(request);
    const [header, claims] = token
      .split('.')
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
    const { kid } = await keyOf(issuer);
    expect(header).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid });
    expect(claims).toMatchObject({
      iss: 'glacis',
      aud: 'glacis',
      sub: 'ops',
      domain: 'acme',
      roles: ['admin'],
      jti: id,
    });
  });
});

describe('401', () => {
  test('without a token, or with something that is none', async () => {
    const { verifier, issuer } = await suite();
    const { token } = await issuer.issue(request);
    expect(await refusal(verifier, undefined)).toBe('a bearer token is needed');
    const wrong = [
      '',
      'Bearer',
      'Bearer ',
      `Basic ${token}`,
      token,
      `Bearer ${token} x`,
      'Bearer a.b',
    ];
    for (const header of [...wrong, `Bearer ${token}\u0000`, `Bearer ${'x'.repeat(9000)}`]) {
      expect(await refusal(verifier, header)).toBe('the token is not valid');
    }
  });

  test('for a forged signature, however it was made', async () => {
    const { verifier, key, issuer, goodClaims } = await suite();
    const { kid } = await keyOf(issuer);
    const header = { alg: 'EdDSA', typ: 'at+jwt', kid };
    const other = generateKeyPairSync('ed25519').privateKey;
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const spki = createPublicKey(key).export({ type: 'spki', format: 'pem' });
    const { x } = await keyOf(issuer);
    const hmac = (secret: Buffer | string) => (input: Buffer) =>
      createHmac('sha256', secret).update(input).digest();
    const forged: Record<string, string> = {
      'another key': jws(header, goodClaims(), eddsa(other)),
      'a key sent along': jws(
        { ...header, jwk: createPublicKey(other).export({ format: 'jwk' }) },
        goodClaims(),
        eddsa(other),
      ),
      'alg none': jws({ ...header, alg: 'none' }, goodClaims(), () => Buffer.alloc(0)),
      'alg None with signature': jws({ ...header, alg: 'None' }, goodClaims(), eddsa(key)),
      'HS256 with the public key in PEM': jws(
        { ...header, alg: 'HS256' },
        goodClaims(),
        hmac(String(spki)),
      ),
      'HS256 with the public key itself': jws(
        { ...header, alg: 'HS256' },
        goodClaims(),
        hmac(Buffer.from(x!, 'base64url')),
      ),
      'HS256 without key id': jws(
        { alg: 'HS256', typ: 'at+jwt' },
        goodClaims(),
        hmac(String(spki)),
      ),
      RS256: jws({ ...header, alg: 'RS256' }, goodClaims(), (input) => sign('sha256', input, rsa)),
      'an unknown critical header': jws({ ...header, crit: ['x'], x: 1 }, goodClaims(), eddsa(key)),
    };
    for (const [how, token] of Object.entries(forged)) {
      expect([how, await refusal(verifier, `Bearer ${token}`)]).toEqual([
        how,
        'the token is not valid',
      ]);
    }
  });

  test('for another issuer, audience or kind of token, and before its time', async () => {
    const { verifier, key, goodClaims } = await suite();
    const good = { alg: 'EdDSA', typ: 'at+jwt' };
    const with_ = (changes: object, header: object = {}) =>
      `Bearer ${jws({ ...good, ...header }, { ...goodClaims(), ...changes }, eddsa(key))}`;
    await expect(answer(verifier, with_({}))).resolves.toMatchObject({ subject: 'ops' });
    const wrong = [
      with_({ iss: 'somebody' }),
      with_({ iss: undefined }),
      with_({ iss: 7 }),
      with_({ aud: 'another' }),
      with_({ aud: undefined }),
      with_({ nbf: goodClaims().iat + 5 }),
      with_({}, { typ: 'JWT' }),
      with_({}, { typ: undefined }),
      with_({ exp: undefined }),
      with_({ exp: '2030' }),
      with_({ sub: undefined }),
      with_({ sub: '' }),
      with_({ sub: 'a\nb' }),
      with_({ jti: undefined }),
      with_({ jti: 5 }),
      with_({ domain: '' }),
      with_({ domain: 5 }),
      with_({ roles: 'admin' }),
      with_({ roles: [1] }),
      with_({ roles: Array.from({ length: 33 }, () => 'member') }),
    ];
    for (const header of wrong)
      expect(await refusal(verifier, header)).toBe('the token is not valid');
  });

  test('once it has expired, also when it was verified before', async () => {
    const { verifier, issuer, clock } = await suite();
    const header = `Bearer ${(await issuer.issue(request)).token}`;
    await verifier.verify(header);
    clock.advance(hour - 1);
    await verifier.verify(header);
    clock.advance(1);
    expect(await refusal(verifier, header)).toBe('the token has expired');
    expect(await refusal(verifier, header)).toBe('the token has expired');
  });

  test('once it was revoked, also when it was verified before', async () => {
    const { verifier, issuer, revoked } = await suite();
    const { token, id, expiresAt } = await issuer.issue(request);
    await verifier.verify(`Bearer ${token}`);
    revoked.add({ id, expiresAt });
    expect(await refusal(verifier, `Bearer ${token}`)).toBe('the token was revoked');
    expect(await refusal(verifier, `bearer ${token}`)).toBe('the token was revoked');
  });

  test('for any text whatsoever', async () => {
    const { verifier } = await suite();
    const part = fc.oneof(fc.base64String(), fc.jsonValue().map(encode), fc.string());
    const token = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 5 }).map((all) => all.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(token, async (text) => {
        expect(await refusal(verifier, `Bearer ${text}`)).toBe('the token is not valid');
      }),
    );
  });

  test('for a good token with any one byte changed', async () => {
    const { verifier, issuer } = await suite();
    const { token } = await issuer.issue(request);
    const decoded = (text: string) => text.split('.').map((part) => Buffer.from(part, 'base64url'));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length - 1),
        fc.constantFrom(...'AZaz09-_.'.split('')),
        async (at, put) => {
          const changed = token.slice(0, at) + put + token.slice(at + 1);
          // The last character of a part may carry bits that belong to no byte.
          fc.pre(JSON.stringify(decoded(changed)) !== JSON.stringify(decoded(token)));
          expect(await refusal(verifier, `Bearer ${changed}`)).toBe('the token is not valid');
        },
      ),
    );
  });
});

describe('the verifier', () => {
  test('tolerates a clock that differs by no more than its leeway', async () => {
    const { verifier, issuer, clock, revoked } = await suite({ leewaySeconds: 5 });
    const { token, id, expiresAt } = await issuer.issue(request);
    clock.advance(hour + 4_999);
    await verifier.verify(`Bearer ${token}`);
    revoked.add({ id, expiresAt });
    revoked.dropExpired();
    expect(await refusal(verifier, `Bearer ${token}`)).toBe('the token was revoked');
    clock.advance(1);
    expect(await refusal(verifier, `bearer ${token}`)).toBe('the token has expired');
    for (const leewaySeconds of [-1, 61, Number.NaN]) {
      await expect(suite({ leewaySeconds })).rejects.toThrow(RangeError);
    }
  });

  test('forgets the longest unused token first', async () => {
    const { verifier, issuer } = await suite({ cacheSize: 2 });
    const bearer = async () => `Bearer ${(await issuer.issue(request)).token}`;
    const [first, second, third] = [await bearer(), await bearer(), await bearer()];
    const isKnown = (header: string) => !(verifier.verify(header) instanceof Promise);
    await verifier.verify(first);
    await verifier.verify(second);
    expect(isKnown(first)).toBe(true);
    await verifier.verify(third);
    expect(isKnown(first)).toBe(true);
    expect(isKnown(third)).toBe(true);
    const again = verifier.verify(second);
    expect(again).toBeInstanceOf(Promise);
    await again;
  });

  test('trusts each issuer with its own keys only', async () => {
    const { issuer, clock } = await suite();
    const key = generateKeyPairSync('ed25519').privateKey;
    const second = await TokenIssuer.fromKey(key, { issuer: 'second', clock });
    const impostor = await TokenIssuer.fromKey(key, { issuer: 'glacis', clock });
    const revoked = new RevokedTokens(clock);
    const issuers = [issuer.trusted(), second.trusted()];
    const verifier = new TokenVerifier({ issuers, revoked, clock });
    const good = await second.issue(request);
    expect((await answer(verifier, `Bearer ${good.token}`)).issuer).toBe('second');
    const bad = await impostor.issue(request);
    expect(await refusal(verifier, `Bearer ${bad.token}`)).toBe('the token is not valid');
  });
});

describe('revoked tokens', () => {
  test('are remembered until they have expired', () => {
    const clock = new ManualClock();
    const revoked = new RevokedTokens(clock);
    revoked.add({ id: 'a', expiresAt: new Date(clock.now().getTime() + hour) });
    revoked.add({ id: 'long gone', expiresAt: new Date(clock.now().getTime() - hour) });
    expect([revoked.has('a'), revoked.size]).toEqual([true, 1]);
    clock.advance(hour + 60_000);
    revoked.dropExpired();
    expect([revoked.has('a'), revoked.size]).toEqual([false, 0]);
  });

  test('are read again from the last watermark on, also after a failed read', async () => {
    const revoked = new RevokedTokens();
    const asked: (string | null)[] = [];
    const answers = [['a'], new Error('database away'), ['b'], []];
    const source: RevocationSource = {
      async revokedSince(watermark) {
        asked.push(watermark);
        const ids = answers[asked.length - 1] ?? [];
        if (ids instanceof Error) throw ids;
        const expiresAt = new Date(Date.now() + hour);
        return {
          revoked: ids.map((id) => ({ id, expiresAt })),
          watermark: `after ${asked.length}`,
          more: false,
        };
      },
    };
    const feed = new RevocationFeed({ source, revoked, onError: () => undefined });
    await feed.read();
    await expect(feed.read()).rejects.toThrow('database away');
    await feed.read();
    await feed.read();
    expect(asked).toEqual([null, 'after 1', 'after 1', 'after 3']);
    expect(['a', 'b'].map((id) => revoked.has(id))).toEqual([true, true]);
  });
});

describe('the issuer', () => {
  test('names its key by the thumbprint of RFC 7638', async () => {
    const { issuer } = await suite();
    const { kid, x, ...rest } = await keyOf(issuer);
    const members = `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`;
    expect(kid).toBe(createHash('sha256').update(members).digest('base64url'));
    expect(rest).toEqual({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' });
  });
});
