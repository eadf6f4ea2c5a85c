import { currentRun } from '../run.js';

/**
 * `host:port` of the broker that the cluster tests of a run share. Others use it as well: take topic and group names
 * of your own, and a broker of your own (`startKafka`) to break it.
 * @throws {Error} outside of `npm run test:cluster`
 */
export function sharedKafka(): string[] {
  const { kafkaBrokers } = currentRun();
  if (!kafkaBrokers) throw new Error('no Kafka in this run: start it by npm run test:cluster');
  return kafkaBrokers;
}
