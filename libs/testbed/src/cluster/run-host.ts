/** The process that holds the real components of `npm run test:cluster`. */
import { holdRun } from '../run-host.js';
import { startComponents } from './components.js';

await holdRun(async () => {
  const started = await startComponents(['kafka', 'postgres']);
  const { DATABASE_URL: adminUrl = '', KAFKA_BROKERS: brokers = '' } = started.env;
  const role = new URL(adminUrl).username;
  const run = { adminUrl, role, kafkaBrokers: brokers.split(',') };
  return { run, stop: () => started.stop() };
});
