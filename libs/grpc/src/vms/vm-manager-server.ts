import { status, type sendUnaryData, type Server, type ServerUnaryCall } from '@grpc/grpc-js';
import { RpcError } from '../rpc-error.js';
import type { WireMethod } from '../services/wire-method.js';
import { vmManagerWire, type VmManager } from './vm-manager.js';

/** What a manager refuses; the text goes to the caller, with the code UNKNOWN as of any Go error. */
export class VmRefusal extends Error {
  constructor(text: string) {
    super(text);
    this.name = 'VmRefusal';
  }
}

/**
 * Adds `manager.ManagerService` to a server.
 * @param onFailure told of failures that are no `VmRefusal`; their callers hear INTERNAL and no more
 */
export function addVmManager(
  server: Server,
  manager: VmManager,
  onFailure: (error: unknown, path: string) => void,
): void {
  const entries = Object.entries(vmManagerWire) as [keyof VmManager, Method][];
  for (const [name, method] of entries) {
    const answer = async (bytes: Buffer): Promise<Buffer> => {
      const run = manager[name].bind(manager) as (request: unknown) => Promise<unknown>;
      return method.encodeReply(await run(method.decodeRequest(bytes, '')));
    };
    const handle = (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void => {
      answer(call.request).then(
        (bytes) => reply(null, bytes),
        (error: unknown) => {
          if (!isRefusal(error)) onFailure(error, method.path);
          reply(statusOf(error));
        },
      );
    };
    server.register(method.path, handle, asBytes, asBytes, 'unary');
  }
}

type Method = WireMethod<unknown, unknown>;

const asBytes = (bytes: Buffer): Buffer => bytes;

function isRefusal(error: unknown): error is VmRefusal | RpcError {
  return error instanceof VmRefusal || error instanceof RpcError;
}

function statusOf(error: unknown): { code: status; details: string } {
  if (error instanceof VmRefusal) return { code: status.UNKNOWN, details: error.message };
  if (error instanceof RpcError) return { code: error.code, details: error.message };
  return { code: status.INTERNAL, details: 'internal error' };
}
