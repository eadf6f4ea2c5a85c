import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { isRefName } from './ref-name.js';

/** What git itself says; a name that begins like an option can be pushed and is refused by us. */
const gitTakes = (name: string): boolean =>
  !name.startsWith('-') &&
  spawnSync('git', ['check-ref-format', `refs/heads/${name}`]).status === 0;

test('refs pass check-ref-format', () => {
  const good = [
    'main',
    'feature/x',
    'v1.0.0',
    'ünï',
    '{x}',
    "it's",
    'a@b',
    '$(id)',
    'a-b',
    'HEADS',
  ];
  const bad = ['', '-x', '--help', 'a..b', 'a b', 'a~1', 'a^', 'a:b', 'a?', 'a*', 'a[', 'a\\b'];
  bad.push(
    '/a',
    'a/',
    'a//b',
    '.a',
    'a/.b',
    'a.lock',
    'a.lock/b',
    'a.',
    'a@{1}',
    'a\nb',
    'a\u007f',
  );
  for (const name of good) expect([name, isRefName(name)]).toEqual([name, true]);
  for (const name of bad) expect([name, isRefName(name)]).toEqual([name, false]);
  for (const name of [...good, ...bad])
    expect([name, gitTakes(name)]).toEqual([name, isRefName(name)]);
});

test('agrees with git on any text', () => {
  const pieces = fc.constantFrom(
    'a',
    '/',
    '.',
    '..',
    '@',
    '{',
    '.lock',
    '-',
    ' ',
    '~',
    '\\',
    'é',
    '*',
  );
  const names = fc.array(pieces, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(names, (name) => {
      expect([name, isRefName(name)]).toEqual([name, gitTakes(name)]);
    }),
    { numRuns: 150 },
  );
});
