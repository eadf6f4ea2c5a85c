export { status } from '@grpc/grpc-js';
export * from './rpc-error.js';
export * from './rpc-directory.js';
export * from './grpc-server.js';
export * from './tls/mutual-tls.js';
export { type CloseCause, type PeerConnection } from './tls/connection.js';
