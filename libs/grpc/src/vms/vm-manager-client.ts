import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import type { WireMethod } from '../services/wire-method.js';
import type { TlsCredentials } from '../tls/mutual-tls.js';
import {
  maxVmMessageBytes,
  vmManagerWire,
  vmRefusals,
  type AttestationPolicyRes,
  type CreateReq,
  type CreateRes,
  type CVMInfoRes,
} from './vm-manager.js';

/**
 * What became of a call that failed.
 * - `unreachable`: there is no connection, and nothing was sent.
 * - `uncertain`: it was sent and there is no answer in time, or none to be read; whether it took effect is unknown.
 * - `not-found`, `too-many`: the manager said so.
 * - `refused`: the manager answered with another error; its text is the message.
 */
export type VmManagerFailure = 'unreachable' | 'uncertain' | 'not-found' | 'too-many' | 'refused';

/** A call to a manager failed; `failure` decides what a caller may do, and only `unreachable` allows a repetition. */
export class VmManagerError extends Error {
  constructor(
    readonly failure: VmManagerFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'VmManagerError';
  }
}

export interface VmManagerClientOptions {
  /** `host:port`; an IP needs an iPAddress name in the manager's certificate. */
  address: string;
  /** PEM texts; without them the connection is plaintext, without `key` and `cert` we show no certificate. */
  tls?: { ca: TlsCredentials['ca']; key?: TlsCredentials['key']; cert?: TlsCredentials['cert'] };
  /** Milliseconds for a connection to come about. Default 10,000. */
  connectTimeoutMs?: number;
  /** Milliseconds for an answer. Default 120,000: a VM takes its time to boot. */
  deadlineMs?: number;
}

/** Calls one manager of generation B or C. Never sends a call twice. */
export class VmManagerClient {
  private readonly client: Client;

  constructor(private readonly options: VmManagerClientOptions) {
    const { address, tls } = options;
    const channel = tls
      ? credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert))
      : credentials.createInsecure();
    this.client = new Client(address, channel, {
      'grpc.max_receive_message_length': maxVmMessageBytes,
      'grpc.max_send_message_length': maxVmMessageBytes,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
    });
  }

  /** @throws {VmManagerError} */
  createVm(request: CreateReq): Promise<CreateRes> {
    return this.call(vmManagerWire.createVm, request);
  }

  /** @throws {VmManagerError} */
  async removeVm(cvmId: string): Promise<void> {
    await this.call(vmManagerWire.removeVm, { cvmId });
  }

  /** Asks managers of v0.5.0 and v0.5.1 by the older name of the call. @throws {VmManagerError} */
  async information(id: string): Promise<CVMInfoRes> {
    try {
      return await this.call(vmManagerWire.cvmInfo, { id });
    } catch (error) {
      if (!isUnimplemented(error)) throw error;
      return this.call(vmManagerWire.svmInfo, { id });
    }
  }

  /** @throws {VmManagerError} */
  attestationPolicy(id: string): Promise<AttestationPolicyRes> {
    return this.call(vmManagerWire.attestationPolicy, { id });
  }

  /** Ends the connection; calls under way fail. */
  close(): void {
    this.client.close();
  }

  private async call<Q, R>(method: WireMethod<Q, R>, request: Q): Promise<R> {
    await this.connect();
    const deadline = Date.now() + (this.options.deadlineMs ?? 120_000);
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      this.client.makeUnaryRequest(
        method.path,
        asBytes,
        asBytes,
        method.encodeRequest(request),
        { deadline },
        (error, reply) => (error ? reject(failureOf(error)) : resolve(reply ?? Buffer.alloc(0))),
      );
    });
    try {
      return method.decodeReply(bytes);
    } catch (cause) {
      throw new VmManagerError('uncertain', 'the answer cannot be read', { cause });
    }
  }

  private connect(): Promise<void> {
    const deadline = Date.now() + (this.options.connectTimeoutMs ?? 10_000);
    return new Promise((resolve, reject) => {
      this.client.waitForReady(deadline, (error) => {
        if (error) reject(new VmManagerError('unreachable', 'no connection to the manager'));
        else resolve();
      });
    });
  }
}

/** Codes that come from the transport: the manager may have acted and nobody heard of it. */
const withoutAnswer: ReadonlySet<status> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.UNAVAILABLE,
]);

function failureOf(error: ServiceError): VmManagerError {
  const { code, details } = error;
  const failure = withoutAnswer.has(code) ? 'uncertain' : answeredFailure(code, details);
  return new VmManagerError(failure, details, { cause: error });
}

function answeredFailure(code: status, text: string): VmManagerFailure {
  if (code !== status.UNKNOWN) return 'refused';
  if (text.includes(vmRefusals.tooMany)) return 'too-many';
  const unknown = text.includes(vmRefusals.notFound) || /computationId .* not found/s.test(text);
  return unknown ? 'not-found' : 'refused';
}

function isUnimplemented(error: unknown): boolean {
  const cause = error instanceof VmManagerError ? (error.cause as ServiceError | undefined) : null;
  return cause?.code === status.UNIMPLEMENTED;
}

const asBytes = (bytes: Buffer): Buffer => bytes;

function pem(text: string | Buffer | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text);
}
