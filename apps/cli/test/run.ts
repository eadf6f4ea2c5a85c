import { Readable } from 'node:stream';
import { main } from '../src/index.js';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs one command line of the CLI in this process. @param input what is typed */
export async function glacis(argv: string[], input = ''): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await main(argv, {
    stdin: Readable.from([input]),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}
