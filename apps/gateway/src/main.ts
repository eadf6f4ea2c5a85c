import { join } from 'node:path';
import { runService } from '@glacis/host';
import { TokenVerifier } from '@glacis/identity';
import { GatewayModule } from './gateway.module.js';
import { OpenApi } from './openapi/open-api.js';
import { InternalPort } from './rpc/internal-port.js';
import { gatewaySettings } from './settings.js';
import { ensureAdminToken } from './tokens/admin-token.js';

await runService({
  name: 'gateway',
  settings: gatewaySettings,
  apis: [],
  httpPort: ({ httpPort }) => httpPort,
  module: (settings) => GatewayModule.forRoot(settings),
  issuerDir: ({ dataDir }) => join(dataDir, 'issuer'),
  ports: (app) => ({ calls: app.get(InternalPort, { strict: false }).port }),
  ownDocument: true,
  beforeListen: async (app, { dataDir }) => {
    app.get(OpenApi, { strict: false }).attach(app);
    await ensureAdminToken(app, app.get(TokenVerifier), join(dataDir, 'admin.token'));
  },
});
