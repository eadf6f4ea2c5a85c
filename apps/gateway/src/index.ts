export { GatewayModule } from './gateway.module.js';
export { gatewayMigrations } from './migrations.js';
export { gatewaySettings, type GatewaySettings } from './settings.js';
export { InternalPort } from './rpc/internal-port.js';
export { OpenApi } from './openapi/open-api.js';
export { TokensService, type CreatedToken, type NewToken } from './tokens/tokens.service.js';
export { ensureAdminToken } from './tokens/admin-token.js';
