import { concat, utf8, type Bytes } from '../crypto/bytes.js';
import type { ShareFile } from './file.js';

const [LF, COMMA, MINUS, ZERO] = Array.from('\n,-0', (c) => c.charCodeAt(0));
/** A sign, ten digits, a separator. */
const CELL_BYTES = 12;
const BLOCK_BYTES = 65_536;

/** Writes decimals into blocks of bytes, without a text between. */
class Writer {
  readonly blocks: Uint8Array[] = [];
  private block = new Uint8Array(BLOCK_BYTES);
  private at = 0;

  cell(word: number, end: number): void {
    if (this.at + CELL_BYTES > BLOCK_BYTES) this.flush();
    if (word < 0) this.block[this.at++] = MINUS;
    this.digits(Math.abs(word));
    this.block[this.at++] = end;
  }

  flush(): void {
    this.blocks.push(this.block.subarray(0, this.at));
    this.block = new Uint8Array(BLOCK_BYTES);
    this.at = 0;
  }

  private digits(value: number): void {
    let length = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) length += 1;
    for (let at = this.at + length - 1, rest = value; at >= this.at; at -= 1) {
      this.block[at] = ZERO + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.at += length;
  }
}

/** A share or result file in CSV form (jobs.md 7.2): LF, a final newline, nothing in quotes. */
export function writeCsv({ rows, columns }: ShareFile): Bytes {
  const words = [...columns.values()];
  const writer = new Writer();
  for (let row = 0; row < rows; row += 1)
    words.forEach((column, i) => writer.cell(column[row], i === words.length - 1 ? LF : COMMA));
  writer.flush();
  return concat(utf8(`${[...columns.keys()].join(',')}\n`), ...writer.blocks);
}
