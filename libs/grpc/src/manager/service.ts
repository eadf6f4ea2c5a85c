import type { MethodDefinition } from '@grpc/grpc-js';

const identity = (bytes: Buffer): Buffer => bytes;

/** One service with its stream, for `server.addService`. */
export type StreamService = Record<'process', MethodDefinition<Buffer, Buffer>>;

const service = (path: string): StreamService => ({
  process: {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
});

/**
 * The service of all dialects of managers. Messages stay bytes: the dialect of a call is known only in
 * its handler, and what cannot be decoded must end it with INVALID_ARGUMENT, not with what grpc-js makes of it.
 */
export const managerService = service('/manager.ManagerService/Process');

/** The same of agents. */
export const agentService = service('/cvms.Service/Process');
