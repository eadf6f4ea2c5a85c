import { once } from 'node:events';

/** What a failed test has left open in this process holds it no longer than this. */
const graceMs = 10_000;

/** Jest's `globalTeardown`: removes what belongs to the run, and fails it if tests left processes running. */
export default async function globalTeardown(): Promise<void> {
  // When nothing is left to do: Node 20 may wait for ever for handles that it closes itself at its end.
  process.once('beforeExit', () => process.exit());
  const host = globalThis.glacisRunHost;
  if (!host) {
    return;
  }
  const exit = once(host, 'exit');
  host.stdin?.end();
  const [code] = (await exit) as [number | null];
  // With the exit code that Jest sets at the end.
  setTimeout(() => process.exit(), graceMs).unref();
  if (code !== 0) {
    throw new Error('the test run left something behind, as told above');
  }
}
