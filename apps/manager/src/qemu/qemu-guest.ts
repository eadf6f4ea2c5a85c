import type { Socket } from 'node:net';
import type { ClientMessage } from '@glacis/grpc';
import type { GuestReport } from '../vms/vm-driver.js';
import { ConsoleLines } from './console-lines.js';
import type { GuestFolder } from './guest-folder.js';
import { SerialLink } from './guest-link.js';
import type { Processes } from './processes.js';
import { connectWhenThere } from './sockets.js';

/** QEMU offers its sockets before anything else; so long without them means that it hangs. */
const socketPatienceMs = 30_000;

/** One guest that runs. It lives as long as its console: QEMU closes that when it ends, whoever has started it. */
export class QemuGuest {
  private readonly over = new AbortController();
  private quiet = false;

  constructor(
    readonly folder: GuestFolder,
    private readonly processes: Processes,
    private readonly report: (report: GuestReport) => void,
  ) {}

  /** Aborts when the guest has ended, with the reason. */
  get ended(): AbortSignal {
    return this.over.signal;
  }

  /** Starts QEMU and listens to the console from its first byte. @throws {Error} */
  async launch(command: string, args: readonly string[]): Promise<void> {
    const { logFile } = this.folder;
    const { ended } = await this.processes.start(command, args, logFile);
    void ended.then(() => this.end());
    await this.attach();
  }

  /** Listens to the console of a guest that runs. @throws {Error} */
  async attach(): Promise<void> {
    const socket = await this.socket(this.folder.consoleSocket);
    const lines = new ConsoleLines((text) => this.tell({ kind: 'log', level: 'debug', text }));
    socket.on('data', (chunk: Buffer) => lines.push(chunk));
    socket.once('close', () => {
      lines.end();
      void this.end();
    });
  }

  /** The agent behind the virtio-serial port. @throws {Error} */
  async serialLink(): Promise<SerialLink> {
    const socket = await this.socket(this.folder.agentSocket);
    return new SerialLink(socket, (message) => this.relay(message));
  }

  /** Gives it up: nothing is reported any more, and what waits for it is told so. */
  giveUp(): void {
    this.quiet = true;
    this.over.abort(new Error('stopped while starting'));
  }

  /** Ends it and removes what it leaves. @throws {Error} when it does not end */
  async remove(): Promise<void> {
    await this.processes.end(this.folder.path);
    await this.folder.remove();
  }

  private async socket(path: string): Promise<Socket> {
    const hangs = AbortSignal.timeout(socketPatienceMs);
    const socket = await connectWhenThere(path, AbortSignal.any([this.ended, hangs]));
    socket.unref();
    this.ended.addEventListener('abort', () => socket.destroy(), { once: true });
    return socket;
  }

  private async end(): Promise<void> {
    if (this.ended.aborted) return;
    const words = await this.folder.lastWords();
    this.over.abort(new Error(words === '' ? 'the guest has ended' : `the guest ended: ${words}`));
  }

  private relay({ kind, value }: ClientMessage): void {
    if (kind === 'agentLog') this.tell({ kind: 'log', level: value.level, text: value.message });
    if (kind !== 'agentEvent') return;
    const { eventType: state, status, details } = value;
    this.tell({ kind: 'agent', state, status, details });
  }

  private tell(report: GuestReport): void {
    if (!this.quiet) this.report(report);
  }
}
