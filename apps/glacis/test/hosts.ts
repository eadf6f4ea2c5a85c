import { ManagerClient, type ServerMessage } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import type { Api } from '../src/demo/api.js';
import type { RunningSuite } from './running-suite.js';

/** A backend with a certificate. */
export interface Host {
  backend: string;
  serial: string;
  files: TlsFiles;
}

export interface TlsFiles {
  ca: string;
  cert: string;
  key: string;
}

/** A manager's stream that the suite has admitted. */
export interface LiveStream {
  messages: ServerMessage[];
  /** gRPC status of its end; undefined while it is open. */
  status(): number | undefined;
}

/** What a manager is told whose certificate or backend has ended. */
export const closed = [{ kind: 'terminate', value: { message: 'Backend Closed' } }];

/** Enrols hosts with a suite that runs, and dials it as their managers. */
export class Hosts {
  private readonly clients: ManagerClient[] = [];
  private named = 0;

  constructor(private readonly suite: () => Pick<RunningSuite, 'api' | 'managers'>) {}

  async enrolled(): Promise<Host> {
    const reply = await this.api.call('POST', '/backends', { name: `enrolled ${this.named++}` });
    const backend = String(reply.headers.get('location')).slice('/backends/'.length);
    const { serial_number: serial } = await this.api.json<{ serial_number: string }>(
      'POST',
      `/certs/issue/backend/${backend}`,
    );
    return { backend, serial, files: await this.files(serial) };
  }

  async files(serial: string): Promise<TlsFiles> {
    const reply = await this.api.anonymous(await this.downloadLink(serial), {
      accept: 'application/json',
    });
    const files = (await reply.json()) as Record<'ca' | 'certificate' | 'private_key', string>;
    const text = (base64: string): string => Buffer.from(base64, 'base64').toString();
    return { ca: text(files.ca), cert: text(files.certificate), key: text(files.private_key) };
  }

  /** Path of a download that works once. */
  async downloadLink(serial: string): Promise<string> {
    const path = `/certs/${serial}/download`;
    const { token } = await this.api.json<{ token: string }>('GET', `${path}/token`);
    return `${path}?token=${token}`;
  }

  /**
   * A stream that was admitted and shows in the backend.
   * @param address `host:port` of the replica that is to hold it; by default that of the suite
   */
  async connected(host: Host, address = this.suite().managers): Promise<LiveStream> {
    const client = new ManagerClient({
      address,
      dialect: 'v0.4',
      metadata: { 'glacis-protocol': 'v0.4' },
      tls: host.files,
    });
    this.clients.push(client);
    const messages: ServerMessage[] = [];
    let status: number | undefined;
    let open = false;
    const stream = client.open({
      onOpen: () => (open = true),
      onMessage: (message) => {
        messages.push(message);
        if (message.kind === 'terminate') stream.end();
      },
      onEnd: ({ code }) => (status = code),
    });
    await waitFor(() => open || status !== undefined, { what: 'an answer to the stream' });
    if (!open) throw new Error(`the stream was refused with status ${status}`);
    await waitFor(() => this.isActive(host), { what: 'an active backend' });
    return { messages, status: () => status };
  }

  async isActive({ backend }: Host): Promise<boolean> {
    const { active } = await this.api.json<{ active?: boolean }>('GET', `/backends/${backend}`);
    return active === true;
  }

  /** Whether the stream still carries what the backend shows. */
  async isLive(stream: LiveStream, host: Host): Promise<boolean> {
    const untouched = stream.status() === undefined && stream.messages.length === 0;
    return untouched && (await this.isActive(host));
  }

  close(): void {
    for (const client of this.clients) client.close();
  }

  private get api(): Api {
    return this.suite().api;
  }
}
