import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { GuestShares, LeftGuest } from '../vms/vm-driver.js';

/** Longest path of a Unix socket. */
const maxSocketPath = 107;
/** End of what QEMU wrote that is looked at, in bytes. */
const logTail = 1024;
const prefix = 'glacis-vm-';
/** What QEMU says of each monitor on a pty. */
const notice = 'char device redirected';

const recordSchema = z.object({
  kind: z.enum(['computation', 'cvm']),
  id: z.string(),
  port: z.int(),
  cid: z.int().optional(),
  expiresAt: z.coerce.date().optional(),
});

/** What a manager must know of a guest that its predecessor has started. */
export type GuestRecord = z.infer<typeof recordSchema>;

/** The folder of one guest: its record, sockets, firmware variables, shares, and what QEMU says. */
export class GuestFolder {
  readonly consoleSocket: string;
  readonly agentSocket: string;
  readonly varsFile: string;
  readonly logFile: string;

  private constructor(readonly path: string) {
    this.consoleSocket = this.file('console');
    this.agentSocket = this.file('agent');
    this.varsFile = this.file('vars.fd');
    this.logFile = this.file('qemu.log');
  }

  /** Names a new one. The id of a guest is the word of others, so no path is made of it. */
  static fresh(base: string): GuestFolder {
    return new GuestFolder(join(base, prefix + randomUUID()));
  }

  /** All folders below `base`; none when that is not there. */
  static async list(base: string): Promise<GuestFolder[]> {
    const entries = await readdir(base).catch(() => []);
    return entries
      .filter((name) => name.startsWith(prefix))
      .map((name) => new GuestFolder(join(base, name)));
  }

  /** @throws {Error} when it cannot be made, or its sockets would have no valid paths */
  async create(record: GuestRecord): Promise<void> {
    if (this.consoleSocket.length > maxSocketPath) throw new Error(`${this.path} is too long`);
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    await writeFile(this.file('guest.json'), JSON.stringify(record), { mode: 0o600 });
  }

  /** Undefined when its writer was killed over it. */
  async record(): Promise<GuestRecord | undefined> {
    try {
      return recordSchema.parse(JSON.parse(await readFile(this.file('guest.json'), 'utf8')));
    } catch {
      return undefined;
    }
  }

  /** Copies the firmware's variables, which the guest may change. */
  async addVars(source: string): Promise<void> {
    await copyFile(source, this.varsFile);
  }

  /** Writes the files of the shares; gives their folders by mount tag. */
  async addShares({ certs, env }: GuestShares): Promise<Record<string, string>> {
    const folders = { certs_share: certs, env_share: env };
    for (const [tag, files] of Object.entries(folders)) {
      await mkdir(this.file(tag), { mode: 0o700 });
      for (const [name, content] of Object.entries(files)) {
        await writeFile(join(this.file(tag), name), content, { mode: 0o600 });
      }
    }
    return Object.fromEntries(Object.keys(folders).map((tag) => [tag, this.file(tag)]));
  }

  /** The last that QEMU had to say, on one line. */
  async lastWords(): Promise<string> {
    const file = await open(this.logFile).catch(() => undefined);
    if (file === undefined) return '';
    try {
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read({
        buffer: Buffer.alloc(logTail),
        position: Math.max(0, size - logTail),
      });
      const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
      return lines.filter((line) => line !== '' && !line.startsWith(notice)).join(' ');
    } finally {
      await file.close();
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  private file(name: string): string {
    return join(this.path, name);
  }
}

/** What the rest of the manager is told of a guest that was found. */
export function leftGuest({ port, ...record }: GuestRecord): LeftGuest {
  const { kind, id, expiresAt } = record;
  return { kind, id, port: String(port), ...(expiresAt && { expiresAt }) };
}
