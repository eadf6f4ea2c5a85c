import { isLoopback, reachableUrl } from './reach.js';

test.each([
  ['127.0.0.1', true],
  ['127.9.8.7', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.7', false],
  ['glacis.example', false],
])('%s is reached from this machine alone: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test.each([
  ['127.0.0.1', 8080, 'http://127.0.0.1:8080'],
  ['fd00::7', 8080, 'http://[fd00::7]:8080'],
  ['0.0.0.0', 8080, ''],
  ['::', 8080, ''],
  ['127.0.0.1', 0, ''],
])('certificates point to %s:%i as %j', (host, port, expected) => {
  expect(reachableUrl(host, port)).toBe(expected);
});
