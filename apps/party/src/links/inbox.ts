/** Bytes that came before somebody asked for them. More than this, and reading pauses. */
const HIGH_WATER = 8 << 20;

/** Words in the order in which they came, whatever pieces they came in. One reader at a time. */
export class Inbox {
  private readonly waiting: Buffer[] = [];
  private queued = 0;
  private target: { bytes: Uint8Array; at: number; done: () => void } | undefined;

  /** @param flow told to stop and to go on, as the queue fills and drains */
  constructor(private readonly flow: { pause: () => void; resume: () => void }) {}

  push(bytes: Buffer): void {
    const taken = this.fill(bytes);
    if (taken === bytes.length) return;
    this.waiting.push(bytes.subarray(taken));
    this.queued += bytes.length - taken;
    if (this.queued > HIGH_WATER) this.flow.pause();
  }

  /** The next `length` words. */
  async take(length: number): Promise<Int32Array> {
    const words = new Int32Array(length);
    if (length === 0) return words;
    await new Promise<void>((done) => {
      this.target = { bytes: new Uint8Array(words.buffer), at: 0, done };
      this.drain();
    });
    return words;
  }

  private drain(): void {
    while (this.target !== undefined && this.waiting.length > 0) {
      const [first] = this.waiting as [Buffer];
      const taken = this.fill(first);
      this.queued -= taken;
      if (taken === first.length) this.waiting.shift();
      else this.waiting[0] = first.subarray(taken);
    }
    if (this.queued <= HIGH_WATER) this.flow.resume();
  }

  /** Moves what fits into the target; how many bytes that are. */
  private fill(bytes: Buffer): number {
    const { target } = this;
    if (target === undefined) return 0;
    const part = bytes.subarray(0, target.bytes.length - target.at);
    target.bytes.set(part, target.at);
    target.at += part.length;
    if (target.at === target.bytes.length) {
      this.target = undefined;
      target.done();
    }
    return part.length;
  }
}
