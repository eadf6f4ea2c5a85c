import { createPrivateKey } from 'node:crypto';
import { openssl, testCa, testFolder, testLeaf } from '../test/support.js';
import { generateKeys, pkcs12, spkiOf, toPem, type CaKeyAlgorithm } from './index.js';

const folder = testFolder();

describe('PKCS#12, opened by openssl', () => {
  it.each<CaKeyAlgorithm>(['ECDSA-P256', 'ECDSA-P521', 'RSA-2048', 'Ed25519'])(
    'gives back key and certificates, %s',
    async (algorithm) => {
      const ca = await testCa('ECDSA-P256');
      const keys = await generateKeys(algorithm);
      const leaf = testLeaf(ca.intermediate, spkiOf(keys.publicKey));
      const certificates = [leaf, ca.intermediate.der, ca.root.der];
      // Not ASCII, and a multiple of the hash's block with its final zero.
      for (const password of ['pässwörd ☂', 'x'.repeat(31)]) {
        const { privateKey } = keys;
        const made = await pkcs12({ certificates, privateKey, password, name: 'host 7' });
        const file = folder.put(`${algorithm}.p12`, made);
        const args = ['pkcs12', '-in', file, '-nodes', '-passin'];
        const { output } = await openssl(args, [`pass:${password}`]);
        expect(output).toContain('friendlyName: host 7');
        for (const each of certificates) expect(output).toContain(toPem('CERTIFICATE', each));
        const [pem] = /-----BEGIN PRIVATE KEY[\s\S]*END PRIVATE KEY-----/.exec(output) ?? [''];
        expect(createPrivateKey(pem).equals(privateKey)).toBe(true);
        expect((await openssl(args, ['pass:wrong-one'])).output).toMatch(/invalid password/);
      }
    },
  );

  it('holds certificates alone where there is no key', async () => {
    const ca = await testCa('ECDSA-P256');
    const password = 'certificates';
    const certificates = [ca.root.der];
    const made = await pkcs12({ certificates, privateKey: null, password, name: 'root' });
    const file = folder.put('root.p12', made);
    const { output } = await openssl([
      'pkcs12',
      '-in',
      file,
      '-nodes',
      '-passin',
      `pass:${password}`,
    ]);
    expect(output).toContain(toPem('CERTIFICATE', ca.root.der));
    expect(output).not.toContain('PRIVATE');
  });
});
