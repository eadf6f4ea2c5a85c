/** The process that holds the real components of `npm run test:cluster`. */
import { holdRun } from '../run-host.js';
import { startComponents } from './components.js';
import { buildGlacisImage, type BuiltImage } from './glacis-image.js';
import { serveOnDemand } from './on-demand.js';
import { startSharedCluster } from './shared-cluster.js';

await holdRun(async (folder) => {
  const started = await startComponents(['kafka', 'postgres']);
  const { DATABASE_URL: adminUrl = '', KAFKA_BROKERS: brokers = '' } = started.env;
  const role = new URL(adminUrl).username;
  const run = { adminUrl, role, kafkaBrokers: brokers.split(',') };
  const onDemand = await serveOnDemand(folder, {
    image: buildGlacisImage,
    cluster: async () => startSharedCluster((await onDemand.demand('image')) as BuiltImage),
  });
  return {
    run,
    stop: async () => {
      await onDemand.stop();
      await started.stop();
    },
  };
});
