/** Choices that follow from a seed (Mulberry32). */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed | 0;
  }

  /** From 0 to before `bound`. */
  below(bound) {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  /** From `low` to `high`, both included. */
  between(low, high) {
    return low + this.below(high - low + 1);
  }

  chance(probability) {
    return this.below(1_000_000) < probability * 1_000_000;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  /** Some different entries, `count` or as many as there are. */
  some(list, count) {
    const left = [...list];
    return Array.from(
      { length: Math.min(count, left.length) },
      () => left.splice(this.below(left.length), 1)[0],
    );
  }

  times(low, high, make) {
    return Array.from({ length: this.between(low, high) }, (_, index) => make(index));
  }
}
