// What the faults happen to: three brokers, a Postgres on a small disk, and two replicas of each service, of which the
// second reaches both of them through a network that can be cut.
import { faultProxy, startKafka, startPostgres, startSuite } from '@glacis/testbed/cluster';
import { SmallDisk } from './disk.mjs';

export async function openStage() {
  const ends = [];
  const close = async () => {
    for (const end of ends.toReversed()) await end();
  };
  const opened = async (thing, end) => {
    ends.push(() => end(thing));
    return thing;
  };
  try {
    const disk = await opened(new SmallDisk('768m'), (it) => it.remove());
    const kafka = await opened(await startKafka({ brokers: 3, proxied: true }), (it) => it.stop());
    const postgres = await opened(
      await startPostgres({ folder: disk.folder, settings: { max_wal_size: '128MB' } }),
      (it) => it.stop(),
    );
    const proxy = await opened(await faultProxy({ port: postgres.port }), (it) => it.close());
    const databaseUrl = await postgres.createDatabase('glacis');
    const proxiedUrl = new URL(databaseUrl);
    proxiedUrl.port = String(proxy.port);
    const suite = await opened(
      await startSuite({
        replicas: 2,
        env: ({ index }) => ({
          DATABASE_URL: index === 0 ? databaseUrl : proxiedUrl.href,
          KAFKA_BROKERS: (index === 0 ? kafka.brokers : kafka.proxied.brokers).join(),
          GLACIS_BACKENDS_HANDSHAKES: '10000',
          GLACIS_HTTP_CALLER_RATE: '1000000/s',
          GLACIS_HTTP_CALLER_BURST: '1000000',
        }),
      }),
      (it) => it.stop(),
    );
    const network = {
      cut: () => [proxy, kafka.proxied].forEach((each) => each.cut()),
      heal: () => [proxy, kafka.proxied].forEach((each) => each.heal()),
    };
    return { disk, kafka, postgres, suite, network, databaseUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}
