import 'reflect-metadata';
import { createPublicKey, type KeyObject } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import {
  certificatePem,
  day,
  openssl,
  shardUrl,
  testCa,
  testFolder,
  testLeaf,
  type TestCa,
} from '../test/support.js';
import {
  crl,
  crlEntry,
  generateKeys,
  isSignedBy,
  newSerial,
  readCrl,
  spkiOf,
  toPem,
  type CrlSpec,
} from './index.js';

const folder = testFolder();
let ca: TestCa;
let spki: Buffer;

beforeAll(async () => {
  ca = await testCa('ECDSA-P256');
  spki = spkiOf((await generateKeys('ECDSA-P256')).publicKey);
});

const makeCrl = (more: Partial<CrlSpec> = {}): Buffer =>
  crl({
    issuer: ca.intermediate,
    entries: [],
    number: 1n,
    thisUpdate: new Date(Date.now() - 60_000),
    nextUpdate: new Date(Date.now() + day),
    ...more,
  });

/** What `openssl verify -crl_check` says of a leaf by one CRL. */
async function check(leaf: Buffer, list: Buffer): Promise<string> {
  const args = [
    ['-CAfile', folder.put('root.pem', certificatePem(ca.root.der))],
    ['-untrusted', folder.put('ca.pem', certificatePem(ca.intermediate.der))],
    ['-CRLfile', folder.put('list.pem', toPem('X509 CRL', list))],
  ];
  const file = folder.put('leaf.pem', certificatePem(leaf));
  return (await openssl('verify', '-x509_strict', '-crl_check', ...args, file)).output;
}

describe('certificates.md 16.7: CRLs by openssl verify -crl_check', () => {
  it.each([
    ['shard', { scope: { url: shardUrl } }],
    ['full', {}],
  ])('%s CRL: refuses exactly the revoked leaf', async (_kind, scope) => {
    const serial = newSerial();
    const revoked = testLeaf(ca.intermediate, spki, { serial });
    const good = testLeaf(ca.intermediate, spki);
    const entries = [crlEntry({ serial, revokedAt: new Date(), reason: 1 })];
    const list = makeCrl({ entries, ...scope });
    expect(await check(revoked, list)).toContain('error 23');
    expect(await check(good, list)).toContain('OK');
    expect(await check(revoked, makeCrl(scope))).toContain('OK');
  });

  it('a shard CRL says nothing of a leaf that points elsewhere', async () => {
    const leaf = testLeaf(ca.intermediate, spki, { pointers: { crl: `${shardUrl}x` } });
    const list = makeCrl({ scope: { url: shardUrl } });
    expect(await check(leaf, list)).toMatch(/error (3|44)/);
  });

  it('is signed by the issuer, with the content of certificates.md 7', async () => {
    const entries = [
      crlEntry({ serial: 255n, revokedAt: new Date('2026-01-02T03:04:05.999Z'), reason: 0 }),
      crlEntry({ serial: 256n, revokedAt: new Date('2026-01-02T03:04:06Z'), reason: 9 }),
    ];
    const list = makeCrl({ entries, number: 1_763_700_000_000n, scope: { url: shardUrl } });
    const file = folder.put('list.crl', list);
    const issuer = folder.put('issuer.pem', certificatePem(ca.intermediate.der));
    const { output } = await openssl([
      'crl',
      '-inform',
      'DER',
      '-in',
      file,
      '-verify',
      '-CAfile',
      issuer,
      '-text',
      '-noout',
    ]);
    expect(output).toContain('verify OK');
    expect(output).toContain('Version 2');
    expect(output).toMatch(/X509v3 CRL Number:\s+1763700000000/);
    expect(output).toContain('X509v3 Authority Key Identifier');
    expect(output).toMatch(
      /X509v3 Issuing Distribution Point: critical[\s\S]*Only User Certificates/,
    );
    expect(output).toContain(`URI:${shardUrl}`);
    expect(output).toContain('Revocation Date: Jan  2 03:04:05 2026 GMT');
    expect(output.match(/X509v3 CRL Reason Code/g)).toHaveLength(1);
    expect(output).toContain('Privilege Withdrawn');
  });

  it('an empty CRL has no revokedCertificates', async () => {
    const file = folder.put('empty.crl', makeCrl());
    const { output } = await openssl('crl', '-inform', 'DER', '-in', file, '-text', '-noout');
    expect(output).toContain('No Revoked Certificates');
  });

  it('is read by @peculiar/x509 with the exact set of serials', () => {
    const serials = Array.from({ length: 20 }, () => newSerial());
    const entries = serials.map((serial) => crlEntry({ serial, revokedAt: new Date(), reason: 4 }));
    const parsed = new x509.X509Crl(makeCrl({ entries }));
    expect(parsed.entries.map((entry) => BigInt(`0x${entry.serialNumber}`))).toEqual(serials);
  });

  it('100,000 entries are joined, signed and read by openssl', async () => {
    const entries = Array.from({ length: 100_000 }, (_, i) =>
      crlEntry({ serial: (1n << 127n) + BigInt(i), revokedAt: new Date(), reason: 1 }),
    );
    const file = folder.put('large.crl', makeCrl({ entries }));
    const issuer = folder.put('issuer.pem', certificatePem(ca.intermediate.der));
    const { output } = await openssl([
      'crl',
      '-inform',
      'DER',
      '-in',
      file,
      '-verify',
      '-CAfile',
      issuer,
      '-noout',
    ]);
    expect(output).toContain('verify OK');
  });
});

describe('reading a CRL', () => {
  const publicKeyOf = ({ privateKey }: TestCa['root']): KeyObject => createPublicKey(privateKey);

  it('gives back what was written, and who signed it', async () => {
    const revokedAt = new Date(Math.floor(Date.now() / 1000) * 1000);
    const made = Array.from({ length: 50 }, (_, i) => ({
      serial: newSerial(),
      revokedAt,
      reason: [0, 1, 5, 9][i % 4] ?? 0,
    }));
    const list = makeCrl({ number: 1n << 130n, entries: made.map(crlEntry) });
    const read = readCrl(list);
    expect(read.entries.map(({ der, ...entry }) => [entry, der])).toEqual(
      made.map((entry) => [entry, crlEntry(entry)]),
    );
    expect(read).toMatchObject({ number: 1n << 130n, isComplete: true });
    expect(read.issuerDer.equals(ca.intermediate.subjectDer)).toBe(true);
    expect(isSignedBy(list, publicKeyOf(ca.intermediate))).toBe(true);
    expect(isSignedBy(list, publicKeyOf(ca.root))).toBe(false);
    expect(readCrl(makeCrl({ scope: { url: shardUrl } })).isComplete).toBe(false);
    expect(readCrl(makeCrl()).entries).toEqual([]);
  });
});
