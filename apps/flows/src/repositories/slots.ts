import { Problem } from '../http/problem.js';

/** Lets so many do something at once; the others wait for their turn, in order. */
export class Slots {
  private taken = 0;
  private readonly waiting = new Set<() => void>();

  /** @param waitMs after which who waits is sent away */
  constructor(
    private readonly most: number,
    private readonly waitMs: number,
  ) {}

  /** Gives what is called when it is over, once. @throws {Problem} 503 after the wait */
  async take(): Promise<() => void> {
    if (this.taken >= this.most) await this.turn();
    else this.taken += 1;
    let held = true;
    return () => {
      if (held) this.release();
      held = false;
    };
  }

  private turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.delete(go);
        reject(new Problem('unavailable', 'Too many requests under way', { 'retry-after': '5' }));
      }, this.waitMs);
      this.waiting.add(go);
    });
  }

  /** Who waits takes the place over. */
  private release(): void {
    const [next] = this.waiting;
    if (!next) {
      this.taken -= 1;
      return;
    }
    this.waiting.delete(next);
    next();
  }
}
