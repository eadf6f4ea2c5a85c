import type { MethodDefinition } from '@grpc/grpc-js';

const identity = (bytes: Buffer): Buffer => bytes;

const process: MethodDefinition<Buffer, Buffer> = {
  path: '/manager.ManagerService/Process',
  requestStream: true,
  responseStream: true,
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
};

/**
 * The service of all dialects, for `server.addService`. Messages stay bytes: the dialect of a call is known only in
 * its handler, and what cannot be decoded must end it with INVALID_ARGUMENT, not with what grpc-js makes of it.
 */
export const managerService = { process };
