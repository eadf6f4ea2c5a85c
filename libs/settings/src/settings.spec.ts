import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import {
  choice,
  defineSettings,
  dumpSettings,
  durationMs,
  flag,
  host,
  integer,
  list,
  loadSettings,
  named,
  optionalText,
  optionalPort,
  json,
  optionalUrl,
  urls,
  parseDurationMs,
  parseSizeBytes,
  port,
  ratePerSecond,
  secret,
  setting,
  SettingsError,
  settingsTable,
  sizeBytes,
  text,
} from './index.js';

const definition = defineSettings('GLACIS_DEMO_', {
  httpPort: setting(port, '9011', 'Port of REST.'),
  defaultTtl: setting(durationMs, '2160h', 'Life of a thing.'),
  allowLoopback: setting(flag, 'false', 'Lets loopback | pass.'),
  names: setting(list, '', 'Names.'),
  apiToken: secret(optionalText, '', 'Token of the other side.'),
});

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'glacis-settings-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string): string {
  const path = join(folder, `${Math.random()}.yml`);
  writeFileSync(path, content);
  return path;
}

function badOf(work: () => unknown): { name: string; reason: string }[] {
  try {
    work();
  } catch (error) {
    if (error instanceof SettingsError) return [...error.bad];
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('values', () => {
  test.each([
    ['0', 0],
    ['250ms', 250],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1500us', 1.5],
    ['1µs', 0.001],
    ['2ns', 2e-6],
  ])('duration %s', (input, ms) => expect(parseDurationMs(input)).toBeCloseTo(ms, 9));

  test.each(['', '5', '-5m', '+5m', '5 m', '5M', '1d', 'm', '5m3', '1e3s', `${'9'.repeat(40)}h`])(
    'no duration: %j',
    (input) => expect(parseDurationMs(input)).toBeUndefined(),
  );

  test('a duration written from whole units reads back', () => {
    const small = fc.integer({ min: 0, max: 999 });
    fc.assert(
      fc.property(small, small, small, small, (h, m, s, ms) => {
        const expected = h * 3_600_000 + m * 60_000 + s * 1000 + ms;
        expect(parseDurationMs(`${h}h${m}m${s}s${ms}ms`)).toBe(expected);
      }),
    );
  });

  test.each([
    ['0', 0],
    ['12b', 12],
    ['64kb', 65_536],
    ['64KiB', 65_536],
    ['500mb', 524_288_000],
    ['1 GB', 1_073_741_824],
    ['2tb', 2_199_023_255_552],
  ])('size %s', (input, bytes) => expect(parseSizeBytes(input)).toBe(bytes));

  test.each(['', '5', '-1kb', '1.5mb', '5xb', 'kb', '1ib', '9999999999999tb'])(
    'no size: %j',
    (input) => expect(parseSizeBytes(input)).toBeUndefined(),
  );

  test('other types', () => {
    expect(port.parse('65535')).toBe(65_535);
    expect(() => port.parse('65536')).toThrow('a whole number from 0 to 65535');
    expect(() => integer(1, 9).parse('1e0')).toThrow('a whole number');
    expect(integer(-5, 5).parse('-5')).toBe(-5);
    expect([flag.parse('TRUE'), flag.parse('false')]).toEqual([true, false]);
    expect(() => flag.parse('1')).toThrow('true or false');
    expect(ratePerSecond.parse('600/m')).toBe(10);
    expect(() => ratePerSecond.parse('0/s')).toThrow('a rate');
    expect(list.parse(' a, ,b ,')).toEqual(['a', 'b']);
    expect(choice('seed', 'none').parse('none')).toBe('none');
    expect(() => choice('seed').parse('Seed')).toThrow('one of seed');
    expect(optionalUrl.parse('https://x.example/base/')).toBe('https://x.example/base');
    expect(optionalUrl.parse('')).toBeUndefined();
    expect(() => optionalUrl.parse('x.example')).toThrow('URL');
    expect(urls.parse(' http://a:1/, https://b ,')).toEqual(['http://a:1', 'https://b']);
    expect(() => urls.parse('http://a,b')).toThrow('URL');
    const pairs = json(z.array(z.object({ n: z.number().default(1) })));
    expect(pairs.parse('[{}, {"n": 2}]')).toEqual([{ n: 1 }, { n: 2 }]);
    expect(() => pairs.parse('[{},{"n":"x"}]')).toThrow('1.n: ');
    expect(() => pairs.parse('[')).toThrow('expected JSON');
    expect(optionalPort.parse('7012')).toBe(7012);
    expect(optionalPort.parse(' ')).toBeUndefined();
    expect(() => optionalPort.parse('65536')).toThrow('from 0 to 65535');
    expect(host.parse('::1')).toBe('::1');
    expect(() => host.parse('a b')).toThrow('a host name');
    expect(() => text.parse('  ')).toThrow('some text');
    expect(sizeBytes.parse('1kb')).toBe(1024);
  });
});

describe('loading', () => {
  test('defaults, overridden by the hosting program, the file, the environment, in this order', () => {
    const path = file('demo:\n  http_port: 2\n  default_ttl: 2h\n');
    const values = loadSettings(definition, {
      env: { GLACIS_DEMO_HTTP_PORT: '1' },
      file: path,
      overrides: { httpPort: '3', defaultTtl: '3h', allowLoopback: 'true' },
    });
    expect(values).toEqual({
      httpPort: 1,
      defaultTtl: 7_200_000,
      allowLoopback: true,
      names: [],
      apiToken: undefined,
    });
  });

  test('both shapes of a section and both spellings of a key give the same', () => {
    const map = file('demo: { http_port: 7, allowLoopback: true, names: [a, b] }');
    const items = file('demo:\n  - http_port: 7\n  - allowLoopback: true\n  - names: "a,b"\n');
    const [first, second] = [map, items].map((path) =>
      loadSettings(definition, { env: { GLACIS_CONFIG_FILE: path } }),
    );
    expect(first).toEqual(second);
    expect(first).toMatchObject({ httpPort: 7, allowLoopback: true, names: ['a', 'b'] });
  });

  test('an empty file, and one without the section, mean defaults', () => {
    for (const content of ['', 'other: { x: 1 }', 'demo:']) {
      expect(loadSettings(definition, { env: {}, file: file(content) }).httpPort).toBe(9011);
    }
  });

  test('every bad value is named with its full name at once', () => {
    const path = file('demo: { default_ttl: 90 }');
    const bad = badOf(() =>
      loadSettings(definition, {
        env: { GLACIS_DEMO_HTTP_PORT: 'http', GLACIS_DEMO_ALLOW_LOOPBACK: 'yes' },
        file: path,
      }),
    );
    expect(bad.map(({ name }) => name)).toEqual([
      'GLACIS_DEMO_HTTP_PORT',
      'demo.default_ttl',
      'GLACIS_DEMO_ALLOW_LOOPBACK',
    ]);
    expect(bad[1]?.reason).toBe("expected a duration such as 250ms, 5m or 1h30m, not '90'");
  });

  test('the value of a secret is in no error and in no dump', () => {
    const hidden = defineSettings('GLACIS_', { key: secret(integer(1, 2), undefined, 'A key.') });
    const bad = badOf(() => loadSettings(hidden, { env: { GLACIS_KEY: 'hunter2' } }));
    expect(JSON.stringify(bad)).not.toContain('hunter2');
    const values = loadSettings(definition, { env: { GLACIS_DEMO_API_TOKEN: 'hunter2' } });
    expect(dumpSettings(definition, values)).toMatchObject({
      GLACIS_DEMO_HTTP_PORT: 9011,
      GLACIS_DEMO_API_TOKEN: '********',
    });
  });

  test('a mandatory setting that is missing is named', () => {
    const strict = defineSettings('GLACIS_X_', { url: setting(text, undefined, 'Where it is.') });
    expect(badOf(() => loadSettings(strict, { env: {} }))).toEqual([
      { name: 'GLACIS_X_URL', reason: 'mandatory: Where it is.' },
    ]);
  });

  test('unknown keys of the section are told by name and change nothing', () => {
    const unknown: string[] = [];
    const path = file('demo: { http_prot: 1 }');
    loadSettings(definition, { env: {}, file: path, onUnknown: (name) => unknown.push(name) });
    expect(unknown).toEqual(['demo.http_prot']);
  });

  test.each([
    ['a missing file', '/nowhere/glacis.yml', 'ENOENT'],
    ['text that is no YAML', '{', 'Flow map must end'],
    ['a key given twice in a map', 'demo:\n  names: a\n  names: b\n', 'unique'],
    [
      'a key given twice in a list',
      'demo:\n  - names: a\n  - names: b\n',
      'demo.names: given twice',
    ],
    ['a section that is text', 'demo: x', 'demo: expected a map'],
    ['a value that is a map', 'demo: { names: { a: 1 } }', 'demo.names: expected text'],
    ['a file that is a list', '- a', 'no map of sections'],
  ])('%s stops the start', (_name, content, reason) => {
    const path = content.startsWith('/') ? content : file(content);
    const [bad] = badOf(() => loadSettings(definition, { env: {}, file: path }));
    expect(bad?.name).toBe(path);
    expect(bad?.reason).toContain(reason);
  });
});

test('the table has a row per setting', () => {
  expect(settingsTable(definition)).toBe(
    [
      '| variable | default | meaning |',
      '|---|---|---|',
      '| `GLACIS_DEMO_HTTP_PORT` | `9011` | Port of REST. |',
      '| `GLACIS_DEMO_DEFAULT_TTL` | `2160h` | Life of a thing. |',
      '| `GLACIS_DEMO_ALLOW_LOOPBACK` | `false` | Lets loopback \\| pass. |',
      '| `GLACIS_DEMO_NAMES` | empty | Names. |',
      '| `GLACIS_DEMO_API_TOKEN` | empty | Token of the other side. |',
      '',
    ].join('\n'),
  );
});

test('a setting may keep the name that its variable has elsewhere', () => {
  const older = defineSettings('GLACIS_DEMO_', {
    origins: named('CORS_ORIGINS', setting(list, '', 'Origins.')),
  });
  expect(loadSettings(older, { env: { CORS_ORIGINS: 'a,b' } }).origins).toEqual(['a', 'b']);
  expect(settingsTable(older)).toContain('`CORS_ORIGINS`');
});
