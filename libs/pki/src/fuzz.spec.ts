import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { certificatePem, derOf, openssl, testCa, testFolder, testLeaf } from '../test/support.js';
import * as der from './der.js';
import { readPublicKey } from './key-rules.js';
import {
  crl,
  crlEntry,
  certsOnly,
  CsrError,
  DerError,
  generateKeys,
  KeyError,
  newSerial,
  OcspRequestError,
  readCertificate,
  readCrl,
  readCertsOnly,
  readCsr,
  readOcspRequest,
  readPrivateKey,
  spkiOf,
  toPem,
} from './index.js';

const seed = 20_261_121;
const folder = testFolder();
let csr: Buffer;
let request: Buffer;
let leaf: Buffer;
let list: Buffer;
let spki: Buffer;
let privateKeys: Buffer[];

beforeAll(async () => {
  const ca = await testCa('ECDSA-P256');
  const keys = await generateKeys('ECDSA-P256');
  spki = spkiOf(keys.publicKey);
  leaf = testLeaf(ca.intermediate, spki);
  list = crl({
    issuer: ca.intermediate,
    entries: [1, 2].map((reason) =>
      crlEntry({ serial: newSerial(), revokedAt: new Date(), reason }),
    ),
    number: 7n,
    thisUpdate: new Date(),
    nextUpdate: new Date(),
  });
  const issuer = folder.put('issuer.pem', certificatePem(ca.intermediate.der));
  const out = join(folder.path, 'out');
  await openssl(
    ['ocsp', '-issuer', issuer, '-cert', folder.put('leaf.pem', certificatePem(leaf)), '-nonce'],
    ['-serial', '77', '-reqout', out],
  );
  request = readFileSync(out);
  await openssl(
    ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout'],
    [join(folder.path, 'key'), '-subj', '/CN=x/O=y', '-out', out],
    ['-addext', 'subjectAltName=IP:10.0.0.1,DNS:a.example,dirName:dn', '-addext'],
    [
      'extendedKeyUsage=serverAuth',
      '-config',
      folder.put('cnf', '[req]\ndistinguished_name=dn\n[dn]\nCN=z\n'),
    ],
  );
  csr = derOf(readFileSync(out, 'utf8'));
  const rsa = await generateKeys('RSA-2048');
  privateKeys = [
    keys.privateKey.export({ type: 'pkcs8', format: 'der' }),
    keys.privateKey.export({ type: 'sec1', format: 'der' }),
    rsa.privateKey.export({ type: 'pkcs1', format: 'der' }),
  ];
});

/** Changes, cuts, doubles and inserts bytes of a valid input: a few edits each. */
const edits = fc.array(
  fc.record({
    kind: fc.constantFrom('set', 'flip', 'cut', 'insert', 'double', 'truncate'),
    at: fc.nat(),
    octet: fc.integer({ min: 0, max: 255 }),
    length: fc.integer({ min: 1, max: 40 }),
  }),
  { minLength: 1, maxLength: 4 },
);
type Edit = typeof edits extends fc.Arbitrary<(infer E)[]> ? E : never;

function edited(input: Buffer, { kind, at, octet, length }: Edit): Buffer {
  const from = at % Math.max(1, input.length);
  const [head, tail] = [input.subarray(0, from), input.subarray(from)];
  switch (kind) {
    case 'set':
      return Buffer.concat([head, Buffer.of(octet), tail.subarray(1)]);
    case 'flip':
      return Buffer.concat([
        head,
        Buffer.of((tail[0] ?? 0) ^ (1 << (octet & 7))),
        tail.subarray(1),
      ]);
    case 'cut':
      return Buffer.concat([head, tail.subarray(length)]);
    case 'insert':
      return Buffer.concat([head, Buffer.alloc(length, octet), tail]);
    case 'double':
      return Buffer.concat([head, tail.subarray(0, length), tail]);
    default:
      return head;
  }
}

/** Every edit of a valid input is read or refused by the error of its reader: no crash, no other error. */
function survives(
  valid: () => Buffer,
  read: (input: Buffer) => unknown,
  error: new (...args: never[]) => Error,
) {
  fc.assert(
    fc.property(edits, (changes) => {
      const input = changes.reduce(edited, valid());
      try {
        read(input);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(error);
      }
    }),
    { seed, numRuns: 1_500 },
  );
}

describe('edits of valid input end in a value or in the typed error', () => {
  it('certs-only message', () => survives(() => certsOnly([leaf, leaf]), readCertsOnly, DerError));
  it('CSR', () => survives(() => csr, readCsr, CsrError));
  it('CSR as text', () =>
    survives(
      () => Buffer.from(toPem('CERTIFICATE REQUEST', csr)),
      (input) => readCsr(input.toString('latin1')),
      CsrError,
    ));
  it('OCSP request', () => survives(() => request, readOcspRequest, OcspRequestError));
  it('public key', () => survives(() => spki, readPublicKey, KeyError));
  it('certificate', () => survives(() => leaf, readCertificate, DerError));
  it('CRL', () => survives(() => list, readCrl, DerError));
  it.each([
    ['PKCS#8', 0, 'PRIVATE KEY'],
    ['SEC1', 1, 'EC PRIVATE KEY'],
    ['PKCS#1', 2, 'RSA PRIVATE KEY'],
  ])('private key in %s', (_name, i, label) =>
    survives(
      () => privateKeys[i]!,
      (input) => readPrivateKey(toPem(label, input)),
      KeyError,
    ),
  );
});

/** Shapes that cost naive parsers time or stack, each within the size that readers take. */
const hostile: [string, Buffer][] = [
  ['deep SEQUENCEs', nested(0x30, 3_900)],
  ['deep context tags', nested(0xa0, 3_900)],
  ['deep OCTET STRINGs inside one another', nested(0x04, 3_900)],
  ['deep BIT STRINGs inside one another', nested(0x03, 3_000)],
  ['thousands of NULLs', der.tlv(0x30, Array<Buffer>(8_000).fill(der.NULL))],
  ['thousands of empty SEQUENCEs', der.tlv(0x30, Array<Buffer>(8_000).fill(der.sequence()))],
  ['one long object identifier', der.sequence(der.tlv(0x06, [Buffer.alloc(16_000, 0xff)]))],
  ['one long INTEGER', der.sequence(der.tlv(0x02, [Buffer.alloc(16_000, 0x7f)]))],
];

function nested(tagByte: number, levels: number): Buffer {
  const pad = tagByte === 0x03 ? [Buffer.of(0)] : [];
  let bytes = Buffer.from(der.NULL);
  for (let i = 0; i < levels; i++) bytes = Buffer.from(der.tlv(tagByte, [...pad, bytes]));
  return bytes;
}

/** An OCSP request with the bytes where a parser may descend: in place of the list, a name and an extension value. */
function planted(bytes: Buffer): Buffer[] {
  const id = der.sequence(
    der.sequence(der.oid('1.3.14.3.2.26'), der.NULL),
    der.octetString(bytes),
    der.octetString(bytes),
    der.integer(1),
  );
  const list = der.sequence(der.sequence(id));
  const extension = der.sequence(der.oid('1.2.3'), der.octetString(bytes));
  return [
    der.sequence(der.sequence(bytes)),
    der.sequence(der.sequence(list)),
    der.sequence(der.sequence(list, der.explicit(2, der.sequence(extension)))),
    der.sequence(der.sequence(der.explicit(1, bytes), list)),
  ];
}

describe.each(hostile)('%s', (_name, bytes) => {
  it('end in the typed error, wherever they stand', () => {
    for (const input of [bytes, ...planted(bytes)]) {
      for (const [read, error] of [
        [readOcspRequest, OcspRequestError],
        [readCsr, CsrError],
        [readCertificate, DerError],
        [readCrl, DerError],
      ] as const) {
        try {
          read(input);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(error);
        }
      }
    }
  });
});
