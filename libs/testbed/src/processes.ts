import { readdir, readFile, readlink } from 'node:fs/promises';

export interface FoundProcess {
  pid: number;
  /** Its command line. */
  command: string;
}

/**
 * The other living processes that have `mark`, such as a folder or a port, in their command line or environment.
 * Linux only; empty elsewhere.
 */
export async function findProcesses(mark: string): Promise<FoundProcess[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.filter((pid) => pid !== process.pid).map((pid) => look(pid, mark)),
  );
  return found.filter((each) => each !== null);
}

/** The TCP ports of this machine that a process listens on. Linux only; empty elsewhere. */
export async function listeningPorts(pid: number): Promise<number[]> {
  const sockets = await socketsOf(pid);
  const tables = await Promise.all([read(`/proc/${pid}/net/tcp`), read(`/proc/${pid}/net/tcp6`)]);
  const rows = tables.flatMap((table) => table.split('\n').map((row) => row.trim().split(/\s+/)));
  // proc(5): local address in hex, state 0A is LISTEN, the tenth column is the socket's inode.
  const listening = rows.filter((row) => row[3] === '0A' && sockets.has(row[9] ?? ''));
  return [...new Set(listening.map((row) => Number.parseInt(row[1]?.split(':')[1] ?? '', 16)))];
}

async function look(pid: number, mark: string): Promise<FoundProcess | null> {
  const [command, environment] = await Promise.all([
    read(`/proc/${pid}/cmdline`),
    read(`/proc/${pid}/environ`),
  ]);
  const alive = command !== '';
  return alive && (command.includes(mark) || environment.includes(mark))
    ? { pid, command: command.replaceAll('\0', ' ').trim() }
    : null;
}

async function socketsOf(pid: number): Promise<Set<string>> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const targets = await Promise.all(
    names.map((name) => readlink(`${folder}/${name}`).catch(() => '')),
  );
  return new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
}

async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
