import { Client, credentials, Metadata, type ClientDuplexStream } from '@grpc/grpc-js';
import {
  agentDialects,
  RunAssembler,
  type AgentDialectName,
  type ClientMessage,
  type ComputationRun,
  type ServerMessage,
  type status,
} from '@glacis/grpc';
import type { ManagerFiles } from './fake-certificates.js';

export interface AgentDial {
  port?: number;
  /** How the agent speaks; default `v0.10`. */
  dialect?: AgentDialectName;
  metadata?: Record<string, string>;
  userAgent?: string;
}

const asBytes = (bytes: Buffer): Buffer => bytes;

/** An agent as a generic gRPC client: one connection, one `Process`, and all that happened on it. */
export class DialedAgent {
  readonly messages: ServerMessage[] = [];
  readonly opened: Promise<void>;
  readonly ended: Promise<{ code: status; details: string }>;
  private readonly dialect;
  private readonly client: Client;
  private readonly call: ClientDuplexStream<Buffer, Buffer>;

  constructor(address: string, files: Partial<ManagerFiles>, dial: AgentDial) {
    this.dialect = agentDialects[dial.dialect ?? 'v0.10'];
    const pem = (text: string | undefined): Buffer | null =>
      text === undefined ? null : Buffer.from(text);
    this.client = new Client(
      address,
      credentials.createSsl(pem(files.ca), pem(files.key), pem(files.cert)),
      {
        'grpc.use_local_subchannel_pool': 1,
        'grpc.enable_retries': 0,
        ...(dial.userAgent !== undefined && { 'grpc.primary_user_agent': dial.userAgent }),
      },
    );
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(dial.metadata ?? {})) metadata.set(name, value);
    const path = '/cvms.Service/Process';
    this.call = this.client.makeBidiStreamRequest(path, asBytes, asBytes, metadata);
    this.call.on('data', (bytes: Buffer) => {
      const message = this.dialect.decodeServer(bytes);
      if (message) this.messages.push(message);
    });
    this.call.on('error', () => undefined);
    this.ended = new Promise((resolve) => this.call.on('status', resolve));
    this.opened = new Promise((resolve, reject) => {
      this.call.on('metadata', () => resolve());
      void this.ended.then(({ code, details }) => reject(new Error(`${code}: ${details}`)));
    });
    this.opened.catch(() => undefined);
  }

  send(message: ClientMessage): void {
    this.call.write(this.dialect.encodeClient(message));
  }

  /** Whatever it may be. */
  sendBytes(bytes: Buffer): void {
    this.call.write(bytes);
  }

  /** Runs that have come as a whole. */
  get runs(): ComputationRun[] {
    const assembler = new RunAssembler(undefined, (bytes) => this.dialect.decodeRun(bytes));
    return this.messages.flatMap((message) => {
      const whole = message.kind === 'runChunk' ? assembler.add(message.value) : undefined;
      return whole ? [whole] : [];
    });
  }

  end(): void {
    this.call.end();
  }

  close(): void {
    this.client.close();
  }
}
