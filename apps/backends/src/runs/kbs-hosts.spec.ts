import { isAllowedBroker } from './kbs-hosts.js';

const hosts = ['kbs.example', '10.0.0.1', '[2001:db8::1]'];

it.each([
  'http://kbs.example',
  'https://KBS.example:8080/kbs/v0?a=b',
  'https://10.0.0.1:8443',
  'http://[2001:DB8::1]:80/',
])('backends.md 16.11: the key broker %s is one of the list', (url) => {
  expect(isAllowedBroker(url, hosts)).toBe(true);
  expect(isAllowedBroker(url, [])).toBe(false);
});

it.each([
  '',
  'kbs.example',
  'ftp://kbs.example',
  'http://kbs.example.evil',
  'http://evil/kbs.example',
  'http://kbs.example@evil/',
  'http://evil@kbs.example/',
  'http://evil#@kbs.example',
  'http://kbs.example?@evil/',
  'http://kbs.example\\@evil/',
  'http://evil\\.kbs.example/',
  ' http://kbs.example',
  'http://kbs.example/ x',
  'http://kbs.example:evil/',
])('backends.md 16.11: the key broker %j is none of the list', (url) => {
  expect(isAllowedBroker(url, hosts)).toBe(false);
});
