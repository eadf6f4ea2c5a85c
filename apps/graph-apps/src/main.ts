import { runService } from '@glacis/host';
import { GraphAppsModule } from './graph-apps.module.js';
import { graphAppsSettings } from './settings.js';

await runService({
  name: 'graph-apps',
  settings: graphAppsSettings,
  apis: ['api'],
  callsOnly: true,
  httpPort: ({ httpPort }) => httpPort,
  module: (settings) => {
    const kubeconfig = settings.kubeconfig ?? (process.env.KUBECONFIG || undefined);
    return GraphAppsModule.forRoot({ ...settings, kubeconfig });
  },
});
