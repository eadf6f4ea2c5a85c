import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import {
  Client,
  credentials,
  Metadata,
  status,
  type ChannelCredentials,
  type ClientDuplexStream,
  type StatusObject,
} from '@grpc/grpc-js';
import type { TlsCredentials } from '../tls/mutual-tls.js';
import { dialects } from './dialects.js';
import type { ClientMessage, DialectName, ServerMessage } from './messages.js';
import { managerService } from './service.js';

export interface ManagerClientOptions {
  /** `host:port`; an IP needs an iPAddress name in the server's certificate. */
  address: string;
  dialect: DialectName;
  /** PEM texts; without them the connection is plaintext, without `key` and `cert` the client has no certificate. */
  tls?: { ca: TlsCredentials['ca']; key?: TlsCredentials['key']; cert?: TlsCredentials['cert'] };
  /** Runs after the usual checks of the server's certificate; an error refuses the connection. */
  checkServer?: (certificate: PeerCertificate) => Error | undefined;
  /** Sent with the call. */
  metadata?: Record<string, string>;
  /** Comes first in `user-agent`, as `grpc-go/1.68.0`. */
  userAgent?: string;
  /** Milliseconds until a connection that does not come about is given up. Default 60,000. */
  connectTimeoutMs?: number;
  /** Largest message in bytes, in both directions. Default 4 MiB. */
  maxMessageBytes?: number;
}

export interface ManagerStreamHandlers {
  /** Response headers came: a server of ours has admitted the stream. Others may send them with their first message. */
  onOpen?: () => void;
  onMessage: (message: ServerMessage) => void;
  /** Called once. An undecodable message of the server ends the stream with code INTERNAL. */
  onEnd: (end: Pick<StatusObject, 'code' | 'details'>) => void;
}

/** The manager's side of one stream. */
export interface ManagerStream {
  /**
   * Resolves when the message was taken for sending, so that awaiting it is backpressure, or dropped since the stream
   * is over.
   * @throws {UnsupportedMessageError} when the dialect has no such message
   */
  send(message: ClientMessage): Promise<void>;
  /** Ends the call in an orderly way. */
  end(): void;
  /** Breaks the call off. */
  cancel(): void;
}

/** A manager as the wire sees it: one connection of its own and the streams over it. */
export class ManagerClient {
  private readonly client: Client;
  private readonly metadata = new Metadata();

  constructor(private readonly options: ManagerClientOptions) {
    const maxMessageBytes = options.maxMessageBytes ?? 4 * 1024 * 1024;
    for (const [name, value] of Object.entries(options.metadata ?? {})) {
      this.metadata.set(name, value);
    }
    this.client = new Client(options.address, channelCredentials(options), {
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': maxMessageBytes,
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
      ...(options.userAgent && { 'grpc.primary_user_agent': options.userAgent }),
    });
  }

  /** Resolves when the transport stands; rejects at the timeout. */
  connect(): Promise<void> {
    const deadline = Date.now() + (this.options.connectTimeoutMs ?? 60_000);
    return new Promise((resolve, reject) => {
      this.client.waitForReady(deadline, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Opens `Process`; dials first when there is no connection yet. A failed dial ends it with UNAVAILABLE. */
  open(handlers: ManagerStreamHandlers): ManagerStream {
    const { path, requestSerialize, responseDeserialize } = managerService.process;
    const call = this.client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      this.metadata,
    );
    return new Stream(call, this.options.dialect, handlers);
  }

  /** Ends the streams and the connection. */
  close(): void {
    this.client.close();
  }
}

class Stream implements ManagerStream {
  private readonly dialect;
  private readonly unsent = new Set<() => void>();
  private ended = false;

  constructor(
    private readonly call: ClientDuplexStream<Buffer, Buffer>,
    dialect: DialectName,
    private readonly handlers: ManagerStreamHandlers,
  ) {
    this.dialect = dialects[dialect];
    call.on('metadata', () => handlers.onOpen?.());
    call.on('data', (bytes: Buffer) => this.receive(bytes));
    call.on('status', ({ code, details }) => this.finish({ code, details }));
    // Every failure comes as a status as well.
    call.on('error', () => undefined);
  }

  send(message: ClientMessage): Promise<void> {
    const bytes = this.dialect.encodeClient(message);
    if (this.ended) return Promise.resolve();
    return new Promise((resolve) => {
      this.unsent.add(resolve);
      this.call.write(bytes, () => {
        this.unsent.delete(resolve);
        resolve();
      });
    });
  }

  end(): void {
    this.call.end();
  }

  cancel(): void {
    this.call.cancel();
  }

  private receive(bytes: Buffer): void {
    let message: ServerMessage | undefined;
    try {
      message = this.dialect.decodeServer(bytes);
    } catch {
      this.finish({ code: status.INTERNAL, details: 'undecodable message' });
      this.call.cancel();
      return;
    }
    if (message !== undefined && !this.ended) this.handlers.onMessage(message);
  }

  private finish(end: Pick<StatusObject, 'code' | 'details'>): void {
    if (this.ended) return;
    this.ended = true;
    for (const resolve of this.unsent) resolve();
    this.unsent.clear();
    this.handlers.onEnd(end);
  }
}

function channelCredentials(options: ManagerClientOptions): ChannelCredentials {
  if (options.tls === undefined) return credentials.createInsecure();
  const { ca, key, cert } = options.tls;
  const { checkServer } = options;
  return credentials.createSsl(
    Buffer.from(ca),
    key === undefined ? null : Buffer.from(key),
    cert === undefined ? null : Buffer.from(cert),
    checkServer && {
      checkServerIdentity: (host, certificate) =>
        checkServerIdentity(host, certificate) ?? checkServer(certificate),
    },
  );
}
