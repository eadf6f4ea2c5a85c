import { loadSettings } from '@glacis/settings';
import { certificatesSettings } from './settings.js';

const load = (name: string, value: string): unknown =>
  loadSettings(certificatesSettings, {
    env: { GLACIS_CERTS_KEK_FILE: 'kek', [`GLACIS_CERTS_${name}`]: value },
  });

describe('settings', () => {
  it.each([
    ['DEFAULT_TTL', '0s', '1m'],
    ['MAX_TTL', '59s', '1m'],
    ['ROOT_TTL', '59m', '1h'],
    ['INTERMEDIATE_TTL', '0', '1h'],
    ['CRL_NEXT_UPDATE', '0s', '1m'],
    ['OCSP_NEXT_UPDATE', '1s', '1m'],
    ['TOKEN_TTL', '0s', '1s'],
    ['TOKEN_TTL', '10m1s', '10m'],
  ])('%s of %s is refused, %s is not', (name, bad, good) => {
    expect(() => load(name, bad)).toThrow(`GLACIS_CERTS_${name}`);
    expect(() => load(name, good)).not.toThrow();
  });
});
