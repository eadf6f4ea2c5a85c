// Jest's `setupFiles`: what programs of the suite print is searched, whoever starts them and whether or not anybody reads it.
import type { ChildProcess } from 'node:child_process';
import { channel, type ChannelListener } from 'node:diagnostics_channel';
import type { Readable } from 'node:stream';
import { SecretSearch } from './search.js';

/** What the command line prints is for its user; a service prints for everybody who reads its log. */
const program = /\bapps\/[\w-]+\/dist\/main\.js$/;

/** Sees what comes without reading it, which is left to whoever started the program. */
function watch(stream: Readable | null, search: SecretSearch): void {
  if (stream === null) return;
  const push = stream.push.bind(stream);
  stream.push = (piece: Uint8Array | null, ...rest): boolean => {
    if (piece !== null) search.add(piece);
    return push(piece, ...rest);
  };
}

function begun({ spawnargs, stdout, stderr }: ChildProcess): void {
  const name = spawnargs?.find((argument) => program.test(argument));
  if (name === undefined) return;
  for (const stream of [stdout, stderr]) {
    const tell = (kind: string): unknown =>
      process.stderr.write(`secret in the output of a program: ${kind}, by ${name}\n`);
    watch(stream, new SecretSearch(tell));
  }
}

/** Told before the process is there. */
const listener: ChannelListener = (message) => {
  const { process: child } = message as { process: ChildProcess };
  queueMicrotask(() => begun(child));
};

// One process runs the files of many tests, each in a world of its own, of which the last one listens.
const programs: ReturnType<typeof channel> & { watchedBy?: ChannelListener } =
  channel('child_process');
if (programs.watchedBy) programs.unsubscribe(programs.watchedBy);
programs.watchedBy = listener;
programs.subscribe(listener);
