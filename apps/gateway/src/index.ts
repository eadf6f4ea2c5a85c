export { GatewayModule } from './gateway.module.js';
export { gatewayMigrations } from './migrations.js';
export { gatewaySettings, type GatewaySettings } from './settings.js';
export { InternalPort } from './rpc/internal-port.js';
export { OpenApi } from './openapi/open-api.js';
export type { CreatedToken } from './tokens/make-token.js';
export { TokensService, type NewToken } from './tokens/tokens.service.js';
export { ensureAdminToken } from './tokens/admin-token.js';
