export { BackendsModule } from './backends.module.js';
export { backendsMigrations } from './migrations.js';
export { backendsSettings, type BackendsSettings } from './settings.js';
export { InternalPort } from './rpc/internal-port.js';
export { AgentListener, ManagerListener } from './streams/stream-listener.js';
