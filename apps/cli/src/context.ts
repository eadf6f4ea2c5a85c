import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { Client } from './client.js';
import type { Screen } from './jobs/progress.js';
import { render, type OutputFormat, type Shown } from './output.js';

/** What every command works with: the server, and where its answer goes. */
export interface Context {
  client: Client;
  server: string;
  tokenFile: string;
  form: OutputFormat;
  stdin: Readable;
  /** Where progress is drawn. */
  screen: Screen;
  show: (shown: Shown) => void;
  /** A line for people only: left out of `json` and `yaml`. */
  say: (line: string) => void;
  /** Text as it comes, such as lines of a log, whatever the form of the answer. */
  write: (text: string) => void;
  /** Whether the person at the terminal agrees; no answer means no. */
  agrees: (question: string) => Promise<boolean>;
}

export interface Streams {
  stdin?: Readable;
  stdout: { write(text: string): unknown };
  stderr: Screen;
}

interface GlobalOptions {
  server: string;
  tokenFile: string;
  output: OutputFormat;
}

/** The context of a command that is about to run, from the options of the program. */
export function contextOf(command: Command, streams: Streams): Context {
  const options = command.optsWithGlobals<GlobalOptions>();
  return {
    client: new Client(options),
    server: options.server,
    tokenFile: options.tokenFile,
    form: options.output,
    stdin: streams.stdin ?? Readable.from([]),
    screen: streams.stderr,
    show: (shown) => void streams.stdout.write(render(shown, options.output)),
    say: (line) => {
      if (options.output === 'text') streams.stdout.write(`${line}\n`);
    },
    write: (text) => void streams.stdout.write(text),
    agrees: (question) => agrees(streams, question),
  };
}

async function agrees({ stdin, stderr }: Streams, question: string): Promise<boolean> {
  stderr.write(`${question} [y/N] `);
  if (!stdin) return false;
  const lines = createInterface({ input: stdin });
  try {
    for await (const line of lines) return /^y(es)?$/i.test(line.trim());
    return false;
  } finally {
    lines.close();
  }
}

/** Adds an action that gets the context, so that no command builds its own client. */
export type Act = <Options>(
  command: Command,
  action: (context: Context, args: string[], options: Options) => Promise<void>,
) => Command;

/** A check that ran and failed, such as a broken audit chain; the message was shown already. */
export class CheckFailedError extends Error {}
