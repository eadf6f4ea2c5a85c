import { once } from 'node:events';

/** Jest's `globalTeardown`: removes what belongs to the run, and fails it if tests left processes running. */
export default async function globalTeardown(): Promise<void> {
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
