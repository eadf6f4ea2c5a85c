/** Longest line in bytes; what is longer comes in pieces. */
const maxLine = 1024;
const lineFeed = 0x0a;

/** Control characters, with what follows them in the escape sequences of terminals. */
const control = /(?!\t)\p{Cc}(?:\[[\d;=?]*[A-Za-z])?/gu;

/** Cuts what a guest writes to its console into lines that are fit for a log: printable, not blank, not too long. */
export class ConsoleLines {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private readonly onLine: (line: string) => void) {}

  push(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (let length = this.lineLength(); length !== undefined; length = this.lineLength()) {
      this.take(length);
    }
  }

  /** Gives what is there of a last line. */
  end(): void {
    this.take(this.rest.length);
  }

  private lineLength(): number | undefined {
    const end = this.rest.indexOf(lineFeed);
    if (end >= 0 && end < maxLine) return end + 1;
    return this.rest.length >= maxLine ? maxLine : undefined;
  }

  private take(length: number): void {
    const line = this.rest.toString('utf8', 0, length).replaceAll(control, '');
    this.rest = this.rest.subarray(length);
    if (line.trim() !== '') this.onLine(line);
  }
}
