import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import {
  canonicalName,
  certificateIp,
  cidrContains,
  cidrsOverlap,
  cidrText,
  ipBytes,
  ipText,
  isHostName,
  isNameValue,
  nameDer,
  newSerial,
  parseCidr,
  parseSerial,
  serialToDecimal,
  type Cidr,
} from './index.js';

const cidr = (text: string): Cidr => {
  const parsed = parseCidr(text);
  if (parsed === null) throw new Error(`${text} is no CIDR`);
  return parsed;
};

const anyIp = fc.oneof(
  fc.ipV4(),
  fc.ipV6().filter((text) => isIP(text) === 6),
);

describe('addresses', () => {
  it('has one canonical text per address', () => {
    fc.assert(
      fc.property(anyIp, (text) => {
        const bytes = ipBytes(text);
        expect(ipText(bytes)).toBe(ipText(ipBytes(ipText(bytes))));
        expect(ipBytes(ipText(bytes)).equals(bytes)).toBe(true);
      }),
    );
  });

  it('writes IPv6 as a URL parser does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
        const text = ipText(Buffer.from(octets));
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      }),
    );
    for (const [text, canonical] of [
      ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
      ['::', '::'],
      ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ] as const) {
      expect(certificateIp(text)).toBe(canonical);
    }
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '::ffff:10.0.0.1',
    '::FFFF:a00:1',
    'fe80::1%eth0',
    'localhost',
    '1.2.3.4 ',
    '[::1]',
  ])('refuses %p in a certificate', (text) => {
    expect(certificateIp(text)).toBeNull();
  });

  it('knows which addresses a block holds, as node:net does', () => {
    const block = fc.oneof(
      fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })),
      fc.tuple(
        fc.ipV6().filter((text) => isIP(text) === 6),
        fc.integer({ min: 0, max: 128 }),
      ),
    );
    fc.assert(
      fc.property(block, anyIp, ([network, prefix], address) => {
        const list = new BlockList();
        list.addSubnet(network, prefix, isIP(network) === 4 ? 'ipv4' : 'ipv6');
        fc.pre(isIP(network) === isIP(address));
        const expected = list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
        const ours = cidr(`${network}/${prefix}`);
        expect(cidrContains(ours, address)).toBe(expected);
        expect(cidrContains(ours, network)).toBe(true);
      }),
    );
    expect(cidrContains(cidr('10.0.0.0/8'), '::ffff:10.0.0.1')).toBe(false);
  });

  it('knows which blocks overlap', () => {
    expect(cidrsOverlap(cidr('10.0.0.0/8'), cidr('10.20.0.0/16'))).toBe(true);
    expect(cidrsOverlap(cidr('10.20.0.0/16'), cidr('10.0.0.0/8'))).toBe(true);
    expect(cidrsOverlap(cidr('10.0.0.0/9'), cidr('10.128.0.0/9'))).toBe(false);
    expect(cidrsOverlap(cidr('0.0.0.0/0'), cidr('::/0'))).toBe(false);
    expect(cidrText(cidr('10.1.2.3/8'))).toBe('10.0.0.0/8');
    expect(cidrText(cidr('2001:db8::7/33'))).toBe('2001:db8::/33');
  });

  it.each([
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '::/129',
    '/8',
    '10.0.0.0/',
    'a/8',
    '10.0.0.0/8 ',
  ])('refuses %p as a block', (text) => {
    expect(parseCidr(text)).toBeNull();
  });
});

describe('host names', () => {
  it.each(['a', 'localhost', 'host-1.example.com', 'xn--bcher-kva.example', '3com.com', 'A.B'])(
    'takes %p',
    (text) => {
      expect(isHostName(text)).toBe(true);
      expect(canonicalName(text)).toBe(text.toLowerCase());
    },
  );

  it.each([
    ['empty', ''],
    ['final dot', 'a.example.'],
    ['empty label', 'a..b'],
    ['leading hyphen', '-a.example'],
    ['trailing hyphen', 'a-.example'],
    ['wildcard', '*.example.com'],
    ['underscore', 'a_b.example'],
    ['U-label', 'bücher.example'],
    ['reserved label', 'ab--cd.example'],
    ['numeric end', '1.2.3.4.5'],
    ['space', 'a b'],
    ['NUL', 'a\0b'],
    ['line feed at the end', 'a.example\n'],
    ['long label', `${'a'.repeat(64)}.example`],
    ['long name', `${'a.'.repeat(127)}ab`],
  ])('refuses %s', (_name, text) => {
    expect(isHostName(text)).toBe(false);
    expect(canonicalName(text)).toBeNull();
  });

  it('canonical names of addresses are compressed', () => {
    expect(canonicalName('2001:DB8:0::1')).toBe('2001:db8::1');
    expect(canonicalName('10.0.0.1')).toBe('10.0.0.1');
    expect(canonicalName('::ffff:10.0.0.1')).toBeNull();
  });
});

describe('subject names', () => {
  it('keeps the bounds of certificates.md 2.2', () => {
    expect(isNameValue('commonName', 'x'.repeat(64))).toBe(true);
    expect(isNameValue('commonName', 'x'.repeat(65))).toBe(false);
    expect(isNameValue('locality', 'ü'.repeat(128))).toBe(true);
    expect(isNameValue('streetAddress', 'x'.repeat(129))).toBe(false);
    expect(isNameValue('postalCode', 'x'.repeat(41))).toBe(false);
    expect(isNameValue('country', 'DE')).toBe(true);
    for (const country of ['D', 'DEU', 'D1', 'Ü1'])
      expect(isNameValue('country', country)).toBe(false);
    for (const value of ['', 'a\0b', 'a\nb', '\ud800']) {
      expect(isNameValue('organization', value)).toBe(false);
    }
    expect(() => nameDer([{ type: 'country', value: 'Germany' }])).toThrow(RangeError);
  });
});

describe('serials', () => {
  it('reads decimal, 0x hex and colon hex as the same number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: (1n << 128n) - 1n }), (serial) => {
        const hex = serial.toString(16);
        const pairs = (hex.length % 2 === 0 ? hex : `0${hex}`).match(/../g) ?? [];
        expect(parseSerial(serial.toString())).toBe(serial);
        expect(parseSerial(`0x${hex}`)).toBe(serial);
        expect(parseSerial(`0X${hex.toUpperCase()}`)).toBe(serial);
        if (pairs.length > 1) expect(parseSerial(pairs.join(':'))).toBe(serial);
        expect(serialToDecimal(hex.toUpperCase())).toBe(serial.toString());
        expect(serialToDecimal(serial)).toBe(serial.toString());
      }),
    );
  });

  it.each([
    '',
    '0',
    '0x0',
    '-1',
    '1.5',
    'abc',
    '0x',
    '1:2',
    'ab:',
    ':ab',
    'ab',
    ' 1',
    '1 ',
    '9'.repeat(65),
    (1n << 159n).toString(),
  ])('refuses %p', (text) => {
    expect(parseSerial(text)).toBeNull();
  });

  it('takes plain digits as decimal even where they could be hex', () => {
    expect(parseSerial('10')).toBe(10n);
  });

  it('draws 128 bits and never 0', () => {
    const draws = [Buffer.alloc(16), Buffer.from(`${'00'.repeat(15)}01`, 'hex')];
    expect(newSerial(() => draws.shift() ?? Buffer.alloc(16, 0xff))).toBe(1n);
    expect(newSerial(() => Buffer.alloc(16, 0xff))).toBe((1n << 128n) - 1n);
    expect(new Set(Array.from({ length: 100 }, () => newSerial())).size).toBe(100);
  });
});
