import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createGrpcServer,
  decodeClientMessage,
  dialects,
  listenMutualTls,
  managerService,
  type ClientMessage,
  type DialectName,
  type MutualTlsListener,
  type ServerMessage,
  status,
} from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import type { Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import type { PemPair, TestCa } from './test-ca.js';

/** One stream, seen from the server. */
export class ServerStream {
  readonly received: ClientMessage[] = [];
  closed = false;

  constructor(
    private readonly call: ServerDuplexStream<Buffer, Buffer>,
    private readonly dialect: DialectName,
  ) {
    call.on('data', (bytes: Buffer) => {
      const message = decodeClientMessage(bytes);
      if (message !== undefined) this.received.push(message);
    });
    for (const event of ['end', 'cancelled', 'error']) call.on(event, () => (this.closed = true));
  }

  get metadata(): Metadata {
    return this.call.metadata;
  }

  /** Admits the stream. */
  accept(): this {
    this.call.sendMetadata(this.call.metadata.clone());
    return this;
  }

  send(message: ServerMessage): void {
    const dialect = dialects[this.dialect];
    const bytes =
      message.kind === 'run' ? dialect.encodeRun(message.value) : [dialect.encodeServer(message)];
    for (const piece of bytes) this.call.write(piece);
  }

  fail(code: status, details = ''): void {
    this.call.emit('error', { code, details });
  }

  /** What has come in, as `event status` and the like. */
  heard(): string[] {
    return this.received.map(({ kind, value }) => {
      if (kind === 'agentEvent') return `${value.originator} ${value.eventType} ${value.status}`;
      return kind === 'stopResponse' ? `${kind} ${value.message}` : kind;
    });
  }

  async hears(text: string): Promise<string[]> {
    await waitFor(() => this.heard().includes(text), { what: `'${text}'` });
    return this.heard();
  }
}

/** A server that does what the test says, over mutual TLS as the real one, with the files of a manager beside it. */
export class ScriptedServer {
  readonly streams: ServerStream[] = [];
  onStream: (stream: ServerStream) => void = (stream) => stream.accept();

  private constructor(
    readonly listener: MutualTlsListener,
    readonly folder: string,
  ) {}

  static async start(ca: TestCa, dialect: DialectName): Promise<ScriptedServer> {
    const server = createGrpcServer();
    const pem = await ca.issue('server');
    const listener = await listenMutualTls({
      port: 0,
      server,
      credentials: () => ({ ...pem, ca: ca.rootPem }),
    });
    const folder = await mkdtemp(join(tmpdir(), 'glacis-manager-'));
    const made = new ScriptedServer(listener, folder);
    server.addService(managerService, {
      process: (call: ServerDuplexStream<Buffer, Buffer>) => {
        const stream = new ServerStream(call, dialect);
        made.streams.push(stream);
        made.onStream(stream);
      },
    });
    await made.writeFiles(ca, await ca.issue('manager'));
    return made;
  }

  writeFiles(ca: TestCa, pem: PemPair): Promise<unknown> {
    const files = { 'ca.pem': ca.rootPem, 'cert.pem': pem.cert, 'key.pem': pem.key };
    return Promise.all(
      Object.entries(files).map(([name, text]) => writeFile(join(this.folder, name), text)),
    );
  }

  /** The environment of a manager that finds this server. */
  env(dialect: DialectName): Record<string, string> {
    return {
      MANAGER_GRPC_URL: `127.0.0.1:${this.listener.port}`,
      MANAGER_GRPC_CLIENT_CERT: join(this.folder, 'cert.pem'),
      MANAGER_GRPC_CLIENT_KEY: join(this.folder, 'key.pem'),
      MANAGER_GRPC_SERVER_CA_CERTS: join(this.folder, 'ca.pem'),
      GLACIS_MANAGER_PROTOCOL: dialect,
      GLACIS_MANAGER_HTTP_PORT: '0',
      GLACIS_MANAGER_STATE_DIR: join(this.folder, 'state'),
      COCOS_JAEGER_URL: '',
    };
  }

  /** The stream opened as number `index`. */
  stream(index: number): Promise<ServerStream> {
    return waitFor(() => this.streams[index], { what: `stream ${index}` });
  }

  async close(): Promise<void> {
    await this.listener.close(0);
    await rm(this.folder, { recursive: true });
  }
}
