import { createLogger } from '@glacis/observability';
import { bareCsr, generateKeys, spkiOf, toPem } from '@glacis/pki';
import { CsrReader } from './csr-reader.js';

describe('CsrReader', () => {
  const reader = new CsrReader(createLogger({ name: 'test', level: 'silent' }));
  afterAll(() => reader.onModuleDestroy());

  it('gives each of many requests its own answer, and a refusal only to the bad ones', async () => {
    const keys = await Promise.all(Array.from({ length: 40 }, () => generateKeys('ECDSA-P256')));
    const texts = keys.map(({ privateKey }, i) =>
      i % 4 === 3 ? 'no request' : toPem('CERTIFICATE REQUEST', bareCsr(privateKey)),
    );
    const results = await Promise.allSettled(texts.map(reader.read));
    results.forEach((result, i) => {
      if (i % 4 === 3) {
        expect(result).toMatchObject({ reason: { name: 'CsrError', code: 'malformed' } });
      } else {
        expect(result).toMatchObject({
          value: { spki: spkiOf(keys[i]!.publicKey), keyAlgorithm: 'ECDSA-P256', evidence: [] },
        });
      }
    });
  });

  it('goes on in a new thread when one has ended', async () => {
    await reader.onModuleDestroy();
    await expect(reader.read('no request')).rejects.toMatchObject({ code: 'malformed' });
  });
});
