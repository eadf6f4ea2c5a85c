import { generateKeys, type KeyPair } from '@glacis/pki';
import { LeafKeys } from './leaf-keys.js';

describe('LeafKeys', () => {
  it('bounds the RSA keys that a tenant, and all together, ask for at once', async () => {
    const pair = await generateKeys('Ed25519');
    const release: ((pair: KeyPair) => void)[] = [];
    const keys = new LeafKeys(4, () => new Promise((resolve) => release.push(resolve)));
    const a = [keys.make('a', 'RSA-4096'), keys.make('a', 'RSA-2048')];
    await expect(keys.make('a', 'RSA-2048')).rejects.toMatchObject({ slug: 'rate-limited' });
    const b = [keys.make('b', 'RSA-4096'), keys.make('b', 'RSA-2048')];
    await expect(keys.make('c', 'RSA-2048')).rejects.toMatchObject({ slug: 'ca-unavailable' });
    const small = keys.make('a', 'ECDSA-P256');
    for (const done of release) done(pair);
    expect(await Promise.all([...a, ...b, small])).toHaveLength(5);
    const again = keys.make('a', 'RSA-4096');
    release.at(-1)?.(pair);
    expect(await again).toBe(pair);
  });

  it('counts a key that failed no longer', async () => {
    const keys = new LeafKeys(2, () => Promise.reject(new Error('no entropy')));
    for (let i = 0; i < 3; i++) await expect(keys.make('a', 'RSA-2048')).rejects.toThrow('entropy');
  });
});
