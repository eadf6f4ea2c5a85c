import { startRunHost } from './start-run-host.js';

/** Jest's `globalSetup`: one Postgres and one folder for the whole run. */
export default async function globalSetup(): Promise<void> {
  await startRunHost(new URL('./postgres-host.js', import.meta.url));
}
