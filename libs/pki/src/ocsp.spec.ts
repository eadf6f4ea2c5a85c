import {
  certificatePem,
  openssl,
  testCa,
  testFolder,
  testLeaf,
  testResponder,
  type TestCa,
} from '../test/support.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as der from './der.js';
import {
  certIdDer,
  certIdHashes,
  generateKeys,
  newSerial,
  ocspError,
  OcspRequestError,
  ocspResponse,
  readOcspRequest,
  spkiOf,
  type CaKeyAlgorithm,
  type OcspResponder,
  type OcspStatus,
} from './index.js';

const folder = testFolder();
let ca: TestCa;
let responder: OcspResponder;
let issuerFile: string;
let leafFile: string;
const serial = newSerial();
const hour = 3_600_000;

beforeAll(async () => {
  ca = await testCa('ECDSA-P256');
  responder = await testResponder(ca.intermediate);
  issuerFile = folder.put('issuer.pem', certificatePem(ca.intermediate.der));
  folder.put('root.pem', certificatePem(ca.root.der));
  const spki = spkiOf((await generateKeys('ECDSA-P256')).publicKey);
  leafFile = folder.put('leaf.pem', certificatePem(testLeaf(ca.intermediate, spki, { serial })));
});

/** The request that `openssl ocsp` writes for the leaf. */
async function opensslRequest(...options: string[]): Promise<Buffer> {
  const out = join(folder.path, 'request.der');
  const before = options.filter((option) => option.startsWith('-sha'));
  const after = options.filter((option) => !option.startsWith('-sha'));
  const { code, output } = await openssl([
    'ocsp',
    ...before,
    '-issuer',
    issuerFile,
    '-cert',
    leafFile,
    ...after,
    '-reqout',
    out,
  ]);
  if (code !== 0) throw new Error(output);
  return readFileSync(out);
}

function answer(
  request: Buffer,
  status: OcspStatus,
  more: { archiveCutoff?: Date; by?: OcspResponder } = {},
): Buffer {
  const { items, nonce } = readOcspRequest(request);
  const now = Date.now();
  return ocspResponse({
    responder: more.by ?? responder,
    producedAt: new Date(now),
    answers: items.map(({ certIdDer }) => ({
      certIdDer,
      status,
      thisUpdate: new Date(now - 60_000),
      nextUpdate: new Date(now + hour),
      archiveCutoff: more.archiveCutoff,
    })),
    nonce,
  });
}

/** What `openssl ocsp` says of a response to a request. */
async function read(request: Buffer, response: Buffer): Promise<string> {
  const { output } = await openssl(
    ['ocsp', '-reqin', folder.put('in.der', request), '-respin', folder.put('out.der', response)],
    ['-CAfile', join(folder.path, 'root.pem'), '-verify_other', issuerFile, '-resp_text'],
  );
  return output;
}

describe('certificates.md 16.5: openssl ocsp accepts the responses', () => {
  it.each([
    ['good', { kind: 'good' }, 'Cert Status: good'],
    [
      'revoked',
      { kind: 'revoked', at: new Date('2026-01-02T03:04:05Z'), reason: 1 },
      'Cert Status: revoked',
    ],
    ['unknown', { kind: 'unknown' }, 'Cert Status: unknown'],
  ] as const)('%s, with SHA-1 and SHA-256, with and without nonce', async (_name, status, text) => {
    for (const hash of ['-sha1', '-sha256']) {
      for (const nonce of ['-nonce', '-no_nonce']) {
        const request = await opensslRequest(hash, nonce);
        const output = await read(request, answer(request, status));
        expect(output).toContain('Response verify OK');
        expect(output).toContain(text);
        expect(output.includes('OCSP Nonce')).toBe(nonce === '-nonce');
      }
    }
  });

  it.each(['ECDSA-P384', 'RSA-2048', 'Ed25519'] satisfies CaKeyAlgorithm[])(
    'signed by a responder with a key of %s',
    async (algorithm) => {
      const by = await testResponder(ca.intermediate, algorithm);
      const request = await opensslRequest('-nonce');
      const output = await read(request, answer(request, { kind: 'good' }, { by }));
      expect(output).toContain('Response verify OK');
    },
  );

  it('tells reason and time of a revocation, the reason left out for 0, no fractions', async () => {
    const request = await opensslRequest('-no_nonce');
    const at = new Date('2026-01-02T03:04:05.678Z');
    const told = await read(request, answer(request, { kind: 'revoked', at, reason: 5 }));
    expect(told).toContain('Revocation Reason: cessationOfOperation');
    expect(told).toContain('Revocation Time: Jan  2 03:04:05 2026 GMT');
    const response = answer(request, { kind: 'revoked', at, reason: 0 });
    expect(await read(request, response)).not.toContain('Revocation Reason');
    expect(response.toString('latin1')).not.toMatch(/\d{14}\./);
  });

  it('carries the archive cutoff and names the responder by key', async () => {
    const request = await opensslRequest('-no_nonce');
    const archiveCutoff = new Date('2025-11-21T00:00:00Z');
    const response = answer(request, { kind: 'good' }, { archiveCutoff });
    const output = await read(request, response);
    expect(output).toMatch(/OCSP Archive Cutoff:\s+Nov 21 00:00:00 2025 GMT/);
    expect(output).toContain(responder.keyId.toString('hex').toUpperCase());
  });

  it.each([
    ['malformedRequest', 'malformedrequest (1)'],
    ['internalError', 'internalerror (2)'],
    ['tryLater', 'trylater (3)'],
    ['unauthorized', 'unauthorized (6)'],
  ] as const)('%s is an unsigned error', async (status, text) => {
    const request = await opensslRequest();
    expect(await read(request, ocspError(status))).toContain(`Responder Error: ${text}`);
  });
});

describe('readOcspRequest', () => {
  it.each(['sha1', 'sha256'] as const)('reads what openssl asks with %s', async (hash) => {
    const request = readOcspRequest(await opensslRequest(`-${hash}`, '-nonce'));
    const hashes = certIdHashes(ca.intermediate)[hash];
    expect(request.items).toEqual([
      {
        certIdDer: certIdDer({ ...hashes, hash, serial }),
        hash,
        issuerNameHash: hashes.nameHash,
        issuerKeyHash: hashes.keyHash,
        serial,
      },
    ]);
    expect(request.nonce?.subarray(0, 1)).toEqual(Buffer.of(0x04));
  });

  it('reads a signed request with a requestor name and ignores both', async () => {
    const keys = await generateKeys('ECDSA-P256');
    const signer = folder.put(
      'signer.pem',
      certificatePem(testLeaf(ca.intermediate, spkiOf(keys.publicKey))),
    );
    const key = folder.put('signer.key', keys.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const request = await opensslRequest('-signer', signer, '-signkey', key);
    expect(readOcspRequest(request).items).toHaveLength(1);
  });

  it('sees several issuers in one request', async () => {
    const other = await testCa('ECDSA-P256');
    const file = folder.put('other.pem', certificatePem(other.intermediate.der));
    const request = readOcspRequest(await opensslRequest('-issuer', file, '-serial', '0x1234'));
    expect(new Set(request.items.map((item) => item.issuerKeyHash.toString('hex'))).size).toBe(2);
    expect(request.items[1]?.serial).toBe(0x1234n);
  });
});

const certId = (number = 1n, algorithm = '1.3.14.3.2.26'): Buffer =>
  der.sequence(
    der.sequence(der.oid(algorithm), der.NULL),
    der.octetString(Buffer.alloc(20, 1)),
    der.octetString(Buffer.alloc(20, 2)),
    der.integer(number),
  );
const single = (id: Buffer, ...extensions: Buffer[]): Buffer =>
  der.sequence(
    id,
    ...(extensions.length > 0 ? [der.explicit(0, der.sequence(...extensions))] : []),
  );
const extension = (oid: string, value: Buffer, critical = false): Buffer =>
  der.sequence(der.oid(oid), ...(critical ? [der.boolean(true)] : []), der.octetString(value));
const request = (singles: Buffer[], ...extensions: Buffer[]): Buffer =>
  der.sequence(
    der.sequence(
      der.tlv(0x30, singles),
      ...(extensions.length > 0 ? [der.explicit(2, der.sequence(...extensions))] : []),
    ),
  );
const nonceOid = '1.3.6.1.5.5.7.48.1.2';
const wrapped = (length: number): Buffer => der.octetString(Buffer.alloc(length, 7));

describe('certificates.md 16.6: OCSP requests at their edges', () => {
  it('takes 1 to 16 single requests in order, refuses none and 17', () => {
    const ids = Array.from({ length: 16 }, (_, i) => certId(BigInt(i + 1)));
    const read = readOcspRequest(request(ids.map((id) => single(id))));
    expect(read.items.map((item) => item.serial)).toEqual(ids.map((_, i) => BigInt(i + 1)));
    expect(read.items.map((item) => item.certIdDer)).toEqual(ids);
    expect(() => readOcspRequest(request([]))).toThrow(OcspRequestError);
    const seventeen = [...ids, certId()].map((id) => single(id));
    expect(() => readOcspRequest(request(seventeen))).toThrow(OcspRequestError);
  });

  it.each([1, 32, 128])('takes a nonce of %d octets, wrapped or raw, as sent', (length) => {
    for (const value of [wrapped(length), Buffer.alloc(length, 0xee)]) {
      const read = readOcspRequest(request([single(certId())], extension(nonceOid, value)));
      expect(read.nonce).toEqual(value);
    }
  });

  it.each([0, 129, 1_000])('refuses a nonce of %d octets, wrapped or raw', (length) => {
    for (const value of [wrapped(length), Buffer.alloc(length, 0xee)]) {
      const sent = request([single(certId())], extension(nonceOid, value));
      expect(() => readOcspRequest(sent)).toThrow(OcspRequestError);
    }
  });

  it('refuses two nonces, ignores a nonce in a single request', () => {
    const nonce = extension(nonceOid, wrapped(16));
    expect(() => readOcspRequest(request([single(certId())], nonce, nonce))).toThrow(
      OcspRequestError,
    );
    const inside = readOcspRequest(request([single(certId(), extension(nonceOid, wrapped(0)))]));
    expect(inside.nonce).toBeUndefined();
  });

  it('refuses an unknown critical extension in either place, passes an uncritical one over', () => {
    const critical = extension('1.2.3.4', der.NULL, true);
    const other = extension('1.2.3.4', der.NULL);
    for (const sent of [
      request([single(certId())], critical),
      request([single(certId(), critical)]),
    ]) {
      expect(() => readOcspRequest(sent)).toThrow(OcspRequestError);
    }
    expect(readOcspRequest(request([single(certId(), other)], other)).items).toHaveLength(1);
    const acceptable = extension(
      '1.3.6.1.5.5.7.48.1.4',
      der.sequence(der.oid('1.3.6.1.5.5.7.48.1.1')),
      true,
    );
    expect(readOcspRequest(request([single(certId())], acceptable)).items).toHaveLength(1);
  });

  it('knows no issuer by another hash', () => {
    const sent = request([single(certId(1n, '2.16.840.1.101.3.4.2.3'))]);
    expect(readOcspRequest(sent).items[0]?.hash).toBeNull();
  });

  it('refuses another version, trailing bytes, over 16 KiB, and indefinite lengths', () => {
    const list = der.sequence(single(certId()));
    const version2 = der.sequence(der.sequence(der.explicit(0, der.integer(1)), list));
    const plain = request([single(certId())]);
    const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), plain.subarray(2), Buffer.of(0, 0)]);
    const large = request([single(certId(), extension('1.2.3.4', Buffer.alloc(16_384)))]);
    for (const sent of [version2, Buffer.concat([plain, Buffer.of(0)]), indefinite, large]) {
      expect(() => readOcspRequest(sent)).toThrow(OcspRequestError);
    }
  });
});
