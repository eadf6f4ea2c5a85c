import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runService } from '@glacis/host';
import { TokenVerifier } from '@glacis/identity';
import { KekUnavailableError, SealBrokenError } from '@glacis/pki';
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
  makesTokens: true,
  plain: [KekUnavailableError, SealBrokenError],
  ports: (app) => ({ calls: app.get(InternalPort, { strict: false }).port }),
  ownDocument: true,
  beforeListen: async (app, { dataDir }) => {
    app.get(OpenApi, { strict: false }).attach(app);
    if (dataDir === undefined) return;
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await ensureAdminToken(app, app.get(TokenVerifier), join(dataDir, 'admin.token'));
  },
});
