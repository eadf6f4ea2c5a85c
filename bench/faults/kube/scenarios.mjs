// What breaks and for how long. `begin` breaks it and gives what mends it.

const skewMs = 120_000;

/** A Pod of a TeeManager that is deleted has 60 s to end (`backends.md` 15, rule 9), and Kubernetes' own controllers take a while to be back. */
const podEndMs = 60_000;

/** @returns each with `title`, `holdMs`, `begin`, and milliseconds that deletions may take longer */
export function scenarios({ cluster, operators, leader }) {
  const restartAll = async (skews) => {
    await Promise.all(operators.map(({ daemon }) => daemon.stop()));
    for (const [i, operator] of operators.entries()) await operator.start({ skewMs: skews[i] });
  };
  return [
    {
      title: 'API server away for 60 s',
      holdMs: 60_000,
      podEndMs,
      begin: async () => {
        await cluster.apiserver.kill();
        return () => cluster.apiserver.start();
      },
    },
    {
      title: 'network to the API server cut for 60 s',
      holdMs: 60_000,
      begin: async () => {
        for (const { proxy } of operators) proxy.cut();
        return async () => operators.forEach(({ proxy }) => proxy.heal());
      },
    },
    {
      title: 'watches fall silent',
      holdMs: 0,
      begin: async () => {
        for (const { proxy } of operators) proxy.silence();
        return async () => undefined;
      },
    },
    {
      title: 'leader paused until another leads',
      holdMs: 10_000,
      begin: async () => {
        const paused = await leader();
        paused.daemon.pause();
        await leader();
        return async () => paused.daemon.resume();
      },
    },
    {
      title: 'network of the leader cut until another leads',
      holdMs: 10_000,
      begin: async () => {
        const lost = await leader();
        lost.proxy.cut();
        await otherThan(lost);
        return async () => lost.proxy.heal();
      },
    },
    {
      title: 'clocks two minutes apart each way and the leader killed',
      // Until the Lease of the killed one has run out.
      holdMs: 15_000,
      begin: async () => {
        await restartAll([skewMs, -skewMs]);
        const killed = await leader();
        await killed.daemon.kill();
        return () => killed.start({ skewMs: killed === operators[0] ? skewMs : -skewMs });
      },
    },
    {
      title: 'clocks right again',
      holdMs: 0,
      begin: async () => {
        await restartAll([0, 0]);
        return async () => undefined;
      },
    },
  ];

  async function otherThan(lost) {
    for (;;) if ((await leader()) !== lost) return;
  }
}
