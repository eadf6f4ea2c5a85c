import fc from 'fast-check';
import { testFolder, openssl } from '../test/support.js';
import {
  checkDer,
  childrenOf,
  contentOf,
  DerError,
  readInteger,
  readOid,
  readOnly,
  readTime,
} from './der-reader.js';
import * as der from './der.js';

const roomy = { maxBytes: 1 << 20, maxDepth: 100, maxElements: 10_000 };
const content = (bytes: Buffer): Buffer => contentOf(bytes, readOnly(bytes));

/** Any tree of SEQUENCEs, SETs, context tags and primitives, as bytes. */
const tree = fc.letrec<{ node: Buffer }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', maxDepth: 8 },
    fc.uint8Array({ maxLength: 300 }).map((b) => der.octetString(Buffer.from(b))),
    fc.bigInt({ min: 0n, max: 1n << 200n }).map(der.integer),
    fc.constant(der.NULL),
    fc
      .tuple(fc.constantFrom(0x30, 0x31, 0xa0, 0xa3), fc.array(tie('node'), { maxLength: 5 }))
      .map(([tagByte, parts]) => der.tlv(tagByte, parts)),
  ),
})).node;

describe('DER writer', () => {
  const folder = testFolder();

  it('writes an INTEGER in the fewest octets, read back as the same number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 170n }), (value) => {
        const octets = content(der.integer(value));
        expect(readInteger(octets)).toBe(value);
        if (octets.length > 1 && octets[0] === 0) expect(octets[1]).toBeGreaterThanOrEqual(0x80);
      }),
    );
    expect(() => der.integer(-1)).toThrow(RangeError);
  });

  it('writes a length in the fewest octets, read back as the same length', () => {
    const lengths = [0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000];
    for (const length of lengths) {
      const bytes = der.octetString(Buffer.alloc(length));
      checkDer(bytes, roomy);
      expect(content(bytes)).toHaveLength(length);
    }
  });

  it('writes object identifiers that read back as the same text', () => {
    const arc = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    const oid = fc.oneof(
      fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 39 }), fc.array(arc)),
      fc.tuple(fc.constant(2), fc.integer({ min: 0, max: 1_000_000 }), fc.array(arc)),
    );
    fc.assert(
      fc.property(oid, ([first, second, rest]) => {
        const text = [first, second, ...rest.slice(0, 6)].join('.');
        expect(readOid(content(der.oid(text)))).toBe(text);
      }),
    );
    for (const none of ['', '1', '3.1', '1.40', '1.2.x', '1.2.-3', '1..2.3.4.']) {
      expect(() => der.oid(none)).toThrow(RangeError);
    }
  });

  it('writes times that read back to the second: UTCTime to 2049, then GeneralizedTime', () => {
    const anyTime = fc.date({
      min: new Date('1950-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(anyTime, (at) => {
        const bytes = der.time(at);
        expect(bytes[0]).toBe(at.getUTCFullYear() < 2050 ? 0x17 : 0x18);
        expect(readTime(bytes, readOnly(bytes)).getTime()).toBe(
          Math.floor(at.getTime() / 1000) * 1000,
        );
      }),
    );
    expect(content(der.time(new Date('2049-12-31T23:59:59.999Z'))).toString()).toBe(
      '491231235959Z',
    );
    expect(content(der.time(new Date('2050-01-01T00:00:00Z'))).toString()).toBe('20500101000000Z');
    expect(() => der.time(new Date(NaN))).toThrow(RangeError);
    expect(() => der.time(new Date('+010000-01-01T00:00:00Z'))).toThrow(RangeError);
  });

  it('drops trailing zero bits of a named bit string', () => {
    expect(der.namedBits(0).toString('hex')).toBe('03020780');
    expect(der.namedBits(5, 6).toString('hex')).toBe('03020106');
    expect(der.namedBits(8).toString('hex')).toBe('0303070080');
  });

  it('writes what openssl asn1parse reads', async () => {
    const sample = der.sequence(
      der.integer(1n << 127n),
      der.oid('2.99999.1.2'),
      der.utf8String('Größe'),
      der.printableString("A-Z'()?"),
      der.time(new Date('2049-12-31T23:59:59Z')),
      der.time(new Date('2051-01-01T00:00:00Z')),
      der.explicit(3, der.set(der.boolean(true), der.NULL, der.enumerated(6))),
      der.octetString(Buffer.alloc(300)),
    );
    const { code, output } = await openssl([
      'asn1parse',
      '-inform',
      'DER',
      '-in',
      folder.put('sample.der', sample),
    ]);
    expect(code).toBe(0);
    for (const text of [
      ':80000000000000000000000000000000',
      ':2.99999.1.2',
      ':491231235959Z',
      ':20510101000000Z',
      'BOOLEAN           :255',
    ]) {
      expect(output).toContain(text);
    }
  });

  it('refuses text outside the PrintableString alphabet', () => {
    for (const text of ['a@b', 'ü', 'a*', 'a_b']) {
      expect(() => der.printableString(text)).toThrow(RangeError);
    }
  });
});

describe('DER walker', () => {
  it('accepts whatever the writer makes', () => {
    fc.assert(fc.property(tree, (bytes) => checkDer(bytes, roomy)));
  });

  it('accepts no value with a byte missing or one too many', () => {
    fc.assert(
      fc.property(tree, (bytes) => {
        expect(() => checkDer(bytes.subarray(0, -1), roomy)).toThrow(DerError);
        expect(() => checkDer(Buffer.concat([bytes, Buffer.of(0)]), roomy)).toThrow(DerError);
      }),
    );
  });

  it('ends on any bytes with nothing or a DerError', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.tuple(tree, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([value, at, octet]) => {
        const changed = Buffer.from(value);
        changed[at % changed.length] = octet;
        return changed;
      }),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          checkDer(Buffer.from(input), roomy);
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['indefinite length', '30800201010000'],
    ['length in more octets than needed', '3081010200'],
    ['leading zero in the length', '30820003020101'],
    ['length of five octets', '30850000000003020101'],
    ['tag number above 30', '1f2a0101'],
    ['constructed OCTET STRING', '2403040101'],
    ['primitive SEQUENCE', '1003020101'],
    ['child longer than its parent', '3003020501'],
    ['nothing', ''],
    ['a tag alone', '30'],
  ])('refuses %s', (_name, hex) => {
    expect(() => checkDer(Buffer.from(hex, 'hex'), roomy)).toThrow(DerError);
  });

  it('keeps the bounds of size, depth and count without recursion', () => {
    let nested = der.NULL;
    for (let i = 0; i < 3_000; i++) nested = der.sequence(nested);
    expect(() => checkDer(nested, { ...roomy, maxDepth: 3_000 })).not.toThrow();
    expect(() => checkDer(nested, { ...roomy, maxDepth: 2_999 })).toThrow('nested too deeply');
    const wide = der.tlv(0x30, Array<Buffer>(500).fill(der.NULL));
    expect(() => checkDer(wide, { ...roomy, maxElements: 501 })).not.toThrow();
    expect(() => checkDer(wide, { ...roomy, maxElements: 500 })).toThrow('too many elements');
    expect(() => checkDer(wide, { ...roomy, maxBytes: wide.length - 1 })).toThrow('too large');
  });
});

describe('DER reader', () => {
  it('reads negative integers as such', () => {
    expect(readInteger(Buffer.from('ff', 'hex'))).toBe(-1n);
    expect(readInteger(Buffer.from('8000', 'hex'))).toBe(-32_768n);
    expect(() => readInteger(Buffer.alloc(0))).toThrow(DerError);
  });

  it('refuses times and object identifiers out of form', () => {
    for (const text of ['261121143653', '2611211436Z', '261121143653+0000', '261321143653Z']) {
      const bytes = der.tlv(der.tag.utcTime, [Buffer.from(text)]);
      expect(() => readTime(bytes, readOnly(bytes))).toThrow(DerError);
    }
    for (const hex of ['', '2a86', '88'.repeat(65)]) {
      expect(() => readOid(Buffer.from(hex, 'hex'))).toThrow(DerError);
    }
  });

  it('lists the children of a constructed element in order', () => {
    const bytes = der.sequence(der.integer(1), der.sequence(der.integer(2)), der.NULL);
    expect(childrenOf(bytes, readOnly(bytes)).map((child) => child.tag)).toEqual([2, 0x30, 5]);
  });
});
