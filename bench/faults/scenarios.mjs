// What breaks and for how long. `begin` breaks it and gives what mends it.

/** @returns each with `title`, `holdMs` and `begin` */
export function scenarios({ kafka, network, postgres, suite, disk }) {
  const brokers = [0, 1, 2].map((index) => kafka.broker(index));
  const startAll = (daemons) => () => Promise.all(daemons.map((daemon) => daemon.start()));
  const killed = (title, daemons, holdMs) => ({
    title,
    holdMs,
    begin: async () => {
      await Promise.all(daemons.map((daemon) => daemon.kill()));
      return startAll(daemons);
    },
  });
  const services = ['certificates', 'backends', 'gateway'];
  // Of two replicas one relays and each consumes and holds streams: with both killed in turn each role has died.
  const replicas = services.flatMap((service) =>
    [0, 1].map((index) =>
      killed(`${service} ${index} killed`, [suite.replica(service, index)], 5_000),
    ),
  );
  return [
    killed('every broker away for 30 s', brokers, 30_000),
    killed('one of three brokers killed', [brokers[0]], 10_000),
    {
      title: 'Postgres shut down',
      holdMs: 2_000,
      begin: async () => {
        await postgres.shutDown();
        return () => postgres.start();
      },
    },
    killed('Postgres killed', [postgres], 2_000),
    ...replicas,
    {
      title: 'one replica of each service cut off for 30 s',
      holdMs: 30_000,
      begin: async () => {
        network.cut();
        return async () => network.heal();
      },
    },
    {
      title: 'disk of the database full for 10 s',
      holdMs: 10_000,
      begin: async () => {
        disk.fill();
        return async () => {
          disk.empty();
          if (!postgres.running) await postgres.start();
        };
      },
    },
  ];
}
