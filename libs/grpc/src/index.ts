export { status } from '@grpc/grpc-js';
export * from './rpc-error.js';
export * from './rpc-directory.js';
export { type RemoteOptions } from './services/rpc-channel.js';
export { placesOf } from './services/address-list.js';
export { JOIN_TOKEN, parseJoinToken } from './services/join/join-token.js';
export { notProved, type JoinDoor } from './services/join/join-server.js';
export { RpcServer, served, type RpcServerOptions } from './services/rpc-server.js';
export {
  ServiceCertificate,
  type ServiceCertificateOptions,
} from './services/service-certificate.js';
export { certificateLoop, type CertificateLoopOptions } from './services/certificate-loop.js';
export { backendsWire } from './services/backends-wire.js';
export { certificatesWire } from './services/certificates-wire.js';
export { gatewayWire } from './services/gateway-wire.js';
export { upstreamCertsWire, type UpstreamCerts } from './services/upstream-certs-wire.js';
export * from './grpc-server.js';
export * from './tls/mutual-tls.js';
export * from './tls/mutual-https.js';
export { type CloseCause, type PeerConnection } from './tls/connection.js';
export * from './manager/messages.js';
export type { Dialect } from './manager/dialect.js';
export { decodeClientMessage, dialects } from './manager/dialects.js';
export { agentDialects } from './agent/agent-dialects.js';
export { extrasOf, type RunExtra } from './manager/run-extras.js';
export { decodeRun, encodeRun, maxRunBytes, RunAssembler } from './manager/run-chunks.js';
export { agentService, managerService, type StreamService } from './manager/service.js';
export {
  ManagerClient,
  type ManagerClientOptions,
  type ManagerStream,
  type ManagerStreamHandlers,
} from './manager/manager-client.js';
export {
  maxVmMessageBytes,
  vmRefusals,
  type AttestationPolicyRes,
  type CreateReq,
  type CreateRes,
  type CVMInfoRes,
  type VmManager,
} from './vms/vm-manager.js';
export { addVmManager, VmRefusal } from './vms/vm-manager-server.js';
export {
  VmManagerClient,
  VmManagerError,
  type VmManagerClientOptions,
  type VmManagerFailure,
} from './vms/vm-manager-client.js';
export { addHealth } from './standard/health.js';
export { addReflection, descriptorSets } from './standard/reflection.js';
