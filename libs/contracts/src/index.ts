export * from './event-types.js';
export * from './cloud-event.js';
export * from './certificates-rpc.js';
export * from './backends-rpc.js';

/** The services that answer calls of others, with their interfaces. */
export interface RpcContracts {
  certificates: import('./certificates-rpc.js').CertificatesRpc;
  backends: import('./backends-rpc.js').BackendsRpc;
}
export type RpcName = keyof RpcContracts;
