import { execFile } from 'node:child_process';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeClientMessage, type ClientMessage } from '@glacis/grpc';
import { backoffMs } from '@glacis/runtime';

/** An agent that is not there after so long has failed to start (`backends.md` 4.10). */
const agentPatienceMs = 15 * 60_000;
const backoff = { initialMs: 500, factor: 2, maxMs: 30_000, jitter: 0.2 };
/** Bytes that tell the length of a message. */
const headerBytes = 4;
/** Longest message of an agent in bytes; the stream to the server takes no longer ones either. */
const maxMessageBytes = 4 * 1024 * 1024;

/** Tells the agent of a guest what to compute. */
export interface GuestLink {
  /** Resolves when the agent has the manifest. @throws {Error} the reason of the abort, or that no agent answers */
  deliver(manifest: Buffer, signal: AbortSignal): Promise<void>;
}

/**
 * A virtio-serial port. Each message in either direction follows its length, four bytes with the highest first. The
 * agent speaks first; it gets the manifest, and what it says is a message of the manager stream (`v0.4`).
 */
export class SerialLink implements GuestLink {
  private rest: Buffer = Buffer.alloc(0);
  private readonly spoken: Promise<void>;
  private onSpoken: () => void;

  constructor(
    private readonly socket: Socket,
    private readonly onMessage: (message: ClientMessage) => void,
  ) {
    this.spoken = new Promise((resolve) => (this.onSpoken = resolve));
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
  }

  async deliver(manifest: Buffer, signal: AbortSignal): Promise<void> {
    await withPatience(signal, (patient) => orAborted(this.spoken, patient));
    this.socket.write(framed(manifest));
  }

  private receive(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    try {
      for (let frame = this.frame(); frame !== undefined; frame = this.frame()) this.take(frame);
    } catch {
      // Whatever speaks there is no agent of ours, and where its next message begins is unknown.
      this.socket.destroy();
    }
  }

  private frame(): Buffer | undefined {
    if (this.rest.length < headerBytes) return undefined;
    const end = headerBytes + this.rest.readUInt32BE(0);
    if (end > maxMessageBytes) throw new Error('message too long');
    if (this.rest.length < end) return undefined;
    const frame = this.rest.subarray(headerBytes, end);
    this.rest = this.rest.subarray(end);
    return frame;
  }

  private take(frame: Buffer): void {
    const message = decodeClientMessage(frame);
    if (message !== undefined) this.onMessage(message);
    this.onSpoken();
  }
}

/** Vsock, of which Node knows nothing: a program takes the manifest on standard input and exits 0 when the agent has it. */
export class VsockLink implements GuestLink {
  constructor(private readonly command: readonly string[]) {}

  async deliver(manifest: Buffer, signal: AbortSignal): Promise<void> {
    await withPatience(signal, async (patient) => {
      for (let attempt = 1; !(await this.send(manifest, patient)); attempt += 1) {
        await delay(backoffMs(backoff, attempt), undefined, { signal: patient });
      }
    });
  }

  private send(manifest: Buffer, signal: AbortSignal): Promise<boolean> {
    const [file = '', ...args] = this.command;
    return new Promise((resolve) => {
      const child = execFile(file, args, { signal }, (error) => resolve(error === null));
      // A program that does not read has failed, and says so by its exit code.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(manifest);
    });
  }
}

/** A message as it travels over a virtio-serial port. */
export function framed(message: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(message.length);
  return Buffer.concat([header, message]);
}

async function withPatience(
  signal: AbortSignal,
  work: (patient: AbortSignal) => Promise<void>,
): Promise<void> {
  const timeout = AbortSignal.timeout(agentPatienceMs);
  try {
    await work(AbortSignal.any([signal, timeout]));
  } catch (error) {
    signal.throwIfAborted();
    throw timeout.aborted ? new Error('no agent answers in the guest') : error;
  }
}

function orAborted(wanted: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    wanted.then(resolve, reject);
  });
}
