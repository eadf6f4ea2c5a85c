// The suite apart for benchmarks: so many replicas of each service, with a broker and a Postgres of their own.
import { startKafka, startPostgres, startSuite } from '@glacis/testbed/cluster';

/** Runs `work` with it; whatever happens, nothing of it is left afterwards. */
export async function withReplicas(replicas, work) {
  const ends = [];
  try {
    const kafka = await startKafka();
    ends.unshift(() => kafka.stop());
    const postgres = await startPostgres();
    ends.unshift(() => postgres.stop());
    const env = {
      DATABASE_URL: await postgres.createDatabase('glacis'),
      KAFKA_BROKERS: kafka.brokers.join(),
      GLACIS_HTTP_CALLER_RATE: '1000000/s',
      GLACIS_HTTP_CALLER_BURST: '1000000',
    };
    const suite = await startSuite({ replicas, env: () => env });
    ends.unshift(() => suite.stop());
    await work(suite);
  } finally {
    for (const end of ends) await end();
  }
}
