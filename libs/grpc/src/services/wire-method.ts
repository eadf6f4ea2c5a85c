import { status } from '@grpc/grpc-js';
import { RpcError } from '../rpc-error.js';

/** One method of an interface as it travels: its path, and its request and reply, or each of many, as bytes. */
export interface WireMethod<Request, Reply> {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** True: the reply is a stream. */
  readonly streaming: boolean;
  /** True: may be sent again when nobody answered. */
  readonly idempotent: boolean;
  encodeRequest(request: Request): Buffer;
  /**
   * @param caller the service that calls, as its certificate names it
   * @throws {RpcError} INVALID_ARGUMENT
   */
  decodeRequest(bytes: Buffer, caller: string): Request;
  encodeReply(reply: Reply): Buffer;
  decodeReply(bytes: Buffer): Reply;
}

/** How each method of an interface travels. A streaming one gives an `AsyncIterable` that ends with its signal. */
export type Wire<T> = {
  readonly [K in keyof T]: T[K] extends (
    request: infer Request,
    signal: AbortSignal,
  ) => Promise<infer Reply> | AsyncIterable<infer Reply>
    ? WireMethod<Request, Reply>
    : never;
};

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** A method as the generator describes it. */
interface Described<Q, R> {
  name: string;
  requestType: Codec<Q>;
  responseType: Codec<R>;
  responseStream: boolean;
  options: { idempotencyLevel?: string };
}

/** How the interface's request and reply become messages, and back. */
interface Forms<Request, Reply, Q, R> {
  toRequest: (request: Request) => Q;
  fromRequest: (message: Q, caller: string) => Request;
  toReply: (reply: Reply) => R;
  fromReply: (message: R) => Reply;
}

export function wireMethod<Request, Reply, Q, R>(
  service: { fullName: string },
  method: Described<Q, R>,
  forms: Forms<Request, Reply, Q, R>,
): WireMethod<Request, Reply> {
  const { name, requestType, responseType, options } = method;
  return {
    path: `/${service.fullName}/${name}`,
    streaming: method.responseStream,
    idempotent: options.idempotencyLevel !== undefined,
    encodeRequest: (request) => bytesOf(requestType, forms.toRequest(request)),
    decodeRequest: (bytes, caller) => forms.fromRequest(messageOf(requestType, bytes), caller),
    encodeReply: (reply) => bytesOf(responseType, forms.toReply(reply)),
    decodeReply: (bytes) => forms.fromReply(responseType.decode(bytes)),
  };
}

/** For a request or reply that looks as its message does. */
export const same = <T>(value: T): T => value;

export const malformed = (message: string): RpcError =>
  new RpcError(status.INVALID_ARGUMENT, 'malformed', message);

function bytesOf<T>(codec: Codec<T>, message: T): Buffer {
  return Buffer.from(codec.encode(message).finish());
}

function messageOf<T>(codec: Codec<T>, bytes: Buffer): T {
  try {
    return codec.decode(bytes);
  } catch {
    throw malformed('the request cannot be decoded');
  }
}
