import { once } from 'node:events';

/** Jest's `globalTeardown`: removes what belongs to the run, and fails it if tests left processes running. */
export default async function globalTeardown(): Promise<void> {
  // When nothing is left to do, and not before: Node 20 may wait for ever for handles that it closes itself at its end.
  process.once('beforeExit', () => process.exit());
  const host = globalThis.glacisRunHost;
  if (!host) {
    return;
  }
  const exit = once(host, 'exit');
  host.stdin?.end();
  const [code] = (await exit) as [number | null];
  if (code !== 0) {
    throw new Error('the test run left something behind, as told above');
  }
}
