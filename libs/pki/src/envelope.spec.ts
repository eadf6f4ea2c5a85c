import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { rewrap, seal, unseal, type Binding, type Sealed } from './envelope.js';
import type { Kek, KekRing } from './kek.js';

const kek = (id: string): Kek => ({ id, key: randomBytes(32) });
const ring = (current: Kek, ...older: Kek[]): KekRing => ({
  current,
  byId: new Map([current, ...older].map((each) => [each.id, each])),
});
const binding: Binding = { table: 'private_keys', id: 'row-1', purpose: 'leaf' };

describe('sealed secrets', () => {
  const keks = ring(kek('a'));

  it('open to the same bytes, and hold none of them in clear', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 200 }), (bytes) => {
        const secret = Buffer.from(bytes);
        const sealed = seal(secret, binding, keks);
        expect(unseal(sealed, binding, keks).equals(secret)).toBe(true);
        expect(sealed.ciphertext.includes(secret)).toBe(false);
      }),
    );
  });

  it.each([
    { ...binding, table: 'other' },
    { ...binding, id: 'row-2' },
    { ...binding, purpose: 'issuer' },
  ])('do not open as another row or purpose: %j', (moved) => {
    const sealed = seal(Buffer.from('secret'), binding, keks);
    expect(() => unseal(sealed, moved, keks)).toThrow(/do not authenticate/);
  });

  it('do not open with any bit changed', () => {
    const sealed = seal(Buffer.from('secret'), binding, keks);
    for (const member of ['wrappedDek', 'iv', 'ciphertext', 'tag'] as const) {
      const changed: Sealed = { ...sealed, [member]: Buffer.from(sealed[member]) };
      changed[member][3]! ^= 1;
      expect(() => unseal(changed, binding, keks)).toThrow(/do not authenticate/);
    }
    const short: Sealed = { ...sealed, tag: sealed.tag.subarray(0, 4) };
    expect(() => unseal(short, binding, keks)).toThrow(/do not authenticate/);
  });

  it('are wrapped anew for another key-encryption key, and then need only that', () => {
    const [older, newer] = [kek('older'), kek('newer')];
    const sealed = seal(Buffer.from('secret'), binding, ring(older));
    const wrapped = { ...sealed, ...rewrap(sealed, binding, ring(newer, older)) };
    expect(wrapped.kekId).toBe('newer');
    expect(unseal(wrapped, binding, ring(newer)).toString()).toBe('secret');
    expect(() => unseal(sealed, binding, ring(newer))).toThrow(/older is not loaded/);
  });
});
