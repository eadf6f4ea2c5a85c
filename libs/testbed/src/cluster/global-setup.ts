import { startRunHost } from '../start-run-host.js';

/** Jest's `globalSetup` of the cluster tests: one Kafka broker, one Postgres and one folder for the whole run. */
export default async function globalSetup(): Promise<void> {
  // kubectl and helm live for a moment, and a new cluster lives for minutes: with Go's own value they spend a third of their
  // CPU time on collecting what is hardly garbage.
  process.env.GOGC ??= '400';
  await startRunHost(new URL('./run-host.js', import.meta.url));
}
