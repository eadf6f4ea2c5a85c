import { startRunHost } from '../start-run-host.js';

/** Jest's `globalSetup` of the cluster tests: one Kafka broker, one Postgres and one folder for the whole run. */
export default async function globalSetup(): Promise<void> {
  await startRunHost(new URL('./run-host.js', import.meta.url));
}
