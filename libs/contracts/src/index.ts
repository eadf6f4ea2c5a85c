export * from './agents/index.js';
export * from './event-types.js';
export * from './cloud-event.js';
export * from './certificates-rpc.js';
export * from './backends-rpc.js';
export * from './gateway-rpc.js';
export * from './jobs/contract-routes.js';

/** The services that answer calls of others, with their interfaces. */
export interface RpcContracts {
  certificates: import('./certificates-rpc.js').CertificatesRpc;
  backends: import('./backends-rpc.js').BackendsRpc;
  gateway: import('./gateway-rpc.js').GatewayRpc;
}
export type RpcName = keyof RpcContracts;
