import { runService } from '@glacis/host';
import { KekUnavailableError } from '@glacis/pki';
import { BackendsModule } from './backends.module.js';
import { InternalPort } from './rpc/internal-port.js';
import { backendsSettings } from './settings.js';
import { AgentListener, ManagerListener } from './streams/stream-listener.js';

await runService({
  name: 'backends',
  settings: backendsSettings,
  apis: ['backends'],
  httpPort: ({ httpPort }) => httpPort,
  module: (settings) => BackendsModule.forRoot(settings),
  plain: [KekUnavailableError],
  ports: (app) => ({
    managers: app.get(ManagerListener, { strict: false }).port,
    agents: app.get(AgentListener, { strict: false }).port,
    calls: app.get(InternalPort, { strict: false }).port,
  }),
  // Live streams end one after the other.
  stopLimitMs: 30_000,
});
