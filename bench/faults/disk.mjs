// A disk of its own, small enough to be filled: a tmpfs. Needs root.
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class SmallDisk {
  #filler;

  /** @param size as mount(8) takes it, such as `512m` */
  constructor(size) {
    this.folder = mkdtempSync(join(tmpdir(), 'glacis-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', this.folder]);
    chmodSync(this.folder, 0o711);
    this.#filler = join(this.folder, 'filler');
  }

  /** Until not one byte more can be written. */
  fill() {
    const file = openSync(this.#filler, 'w');
    try {
      for (let size = 1 << 20; size > 0;) {
        try {
          writeSync(file, Buffer.alloc(size));
        } catch {
          size >>= 1;
        }
      }
    } finally {
      closeSync(file);
    }
  }

  empty() {
    rmSync(this.#filler, { force: true });
  }

  remove() {
    execFileSync('umount', [this.folder]);
    rmdirSync(this.folder);
  }
}
