import { compareQuantities } from './quantity.js';

test.each([
  ['1Gi', '1024Mi', 0],
  ['1Gi', '1G', 1],
  ['1e3', '1k', 0],
  ['1E', '1e18', 0],
  ['1500m', '2', -1],
  ['.5Gi', '512Mi', 0],
  ['+1Gi', '2Gi', -1],
])('graph-apps.md 4.7: %s against %s', (a, b, sign) => {
  expect(Math.sign(compareQuantities(a, b))).toBe(sign);
});
