// A rolling restart: every replica of every service in turn, in good order, the next one when the last is ready.
const services = ['certificates', 'backends', 'gateway'];

export function restarts(suite) {
  return services.flatMap((service) =>
    [0, 1].map((index) => {
      const daemon = suite.replica(service, index);
      return {
        title: `${service} ${index} restarted`,
        holdMs: 0,
        begin: async () => {
          await daemon.stop();
          return () => daemon.start();
        },
      };
    }),
  );
}
