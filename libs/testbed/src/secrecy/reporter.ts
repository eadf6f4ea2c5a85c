import { SecretSearch } from './search.js';

/**
 * Jest reporter that fails a run in whose output lies what has the shape of a secret: the process that it lives in prints
 * whatever tests and their services say.
 */
export default class SecrecyReporter {
  private readonly found = new Set<string>();

  constructor() {
    for (const stream of [process.stdout, process.stderr]) {
      const search = new SecretSearch((kind) => this.found.add(kind));
      const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
      stream.write = (piece: string | Uint8Array, ...rest: unknown[]): boolean => {
        search.add(piece);
        return write(piece, ...rest);
      };
    }
  }

  /** Jest asks for it at the end, and fails the run without a word of its own. */
  getLastError(): Error | undefined {
    if (this.found.size === 0) return undefined;
    const message = `the output of this run holds ${[...this.found].join(', ')}`;
    console.error(message);
    return new Error(message);
  }
}
