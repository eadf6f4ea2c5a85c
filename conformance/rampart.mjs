// `npm run conformance -- FILE…`: runs recorded cases of Rampart through the rules and reviews of libs/graphs. One line
// per deviation, with the case's id and both verdicts; the last line counts. Exit 1 where a case failed. Without files:
// all of conformance/fixtures.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readCases } from './cases.mjs';
import { judge } from './judge.mjs';
import { stop } from './webhooks.mjs';

const fixtures = join(import.meta.dirname, 'fixtures');

const allFixtures = () =>
  readdirSync(fixtures, { recursive: true })
    .filter((name) => /\.(json|yaml)$/.test(name))
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((name) => join(fixtures, name));

/** @returns whether all cases passed */
export async function main(args) {
  const given = args.map((file) => resolve(process.env.INIT_CWD ?? '.', file));
  const count = { passed: 0, stricter: 0, failed: 0 };
  for (const file of given.length > 0 ? given : allFixtures()) {
    for await (const each of readCases(file)) {
      const { result, line } = judge(each);
      count[result] += 1;
      if (line) console.log(line);
    }
  }
  await stop();
  if (count.stricter > 0) {
    console.log(`${count.stricter} of the passed differ by a rule of conformance/stricter.json`);
  }
  console.log(`${count.passed + count.stricter} passed, ${count.failed} failed`);
  return count.failed === 0;
}
