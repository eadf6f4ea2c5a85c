/** A terminal, or something that takes text. */
export interface Screen {
  write(text: string): unknown;
  isTTY?: boolean;
}

const CELLS = 30;

/**
 * One bar that is drawn over itself; nothing at all where no person watches.
 * @param label what is under way
 */
export class ProgressBar {
  private drawn = '';

  constructor(
    private readonly screen: Screen,
    private readonly label: string,
  ) {}

  /** @param share 0 to 1 */
  show(share: number, text: string): void {
    const full = Math.round(Math.min(1, Math.max(0, share)) * CELLS);
    const bar = `${'█'.repeat(full)}${'░'.repeat(CELLS - full)}`;
    this.draw(`${this.label}  ${bar} ${String(Math.round(share * 100)).padStart(3)} %  ${text}`);
  }

  /** Clears the line. */
  end(): void {
    this.draw('');
    if (this.screen.isTTY) this.screen.write('\r');
  }

  private draw(line: string): void {
    if (!this.screen.isTTY || line === this.drawn) return;
    this.screen.write(`\r${line.padEnd(this.drawn.length)}`);
    this.drawn = line;
  }
}
