import { createLogger } from '@glacis/observability';
import { loadSettings } from '@glacis/settings';
import { openIdentity } from './open-identity.js';
import { identitySettings } from './settings.js';

const key = 'k'.repeat(32);
const provider = (issuer: string): string => JSON.stringify([{ issuer }]);

const open = async (env: Record<string, string>): Promise<unknown> =>
  openIdentity({
    settings: loadSettings(identitySettings, { env }),
    logger: createLogger({ name: 'test', level: 'silent' }),
  });

describe('bug: two issuers of one name were taken, and the first judged the tokens of both', () => {
  const own = 'https://id.example.com';

  it.each([
    ['OLDER_ISSUER', { GLACIS_TOKENS_OLDER_ISSUER: 'glacis', GLACIS_TOKENS_OLDER_KEY: key }],
    ['OIDC', { GLACIS_TOKENS_ISSUER: own, GLACIS_TOKENS_OIDC: provider(own) }],
    [
      'OIDC',
      {
        GLACIS_TOKENS_OLDER_ISSUER: own,
        GLACIS_TOKENS_OLDER_KEY: key,
        GLACIS_TOKENS_OIDC: provider(own),
      },
    ],
  ])('%s is named', async (name, env) => {
    await expect(open(env)).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
      bad: [{ name: `GLACIS_TOKENS_${name}` }],
    });
  });

  it('of older tokens that are not accepted the name does not count', async () => {
    const env = { GLACIS_TOKENS_OLDER_ISSUER: 'glacis', GLACIS_TOKENS_OIDC: provider(own) };
    await expect(open(env)).resolves.toBeDefined();
  });
});
