// Many managers with streams, some of whom lose their certificates while things break.
import { waitFor } from '@glacis/runtime';
import { Manager } from '../crash/managers.mjs';

/** How long a stream of a revoked serial may live, once nothing is broken. */
const limitMs = 10_000;
const atOnce = 8;

export class Fleet {
  /** Milliseconds from the acknowledged revocation to the end of the stream, for those revoked while all was well. */
  cuts = [];
  /** Serials whose streams lived on. */
  missed = [];
  #watches = [];

  constructor(target, writers, count) {
    const retryMs = () => 500 + writers.random.next() * 2_000;
    const options = { reportMs: 20_000, retryMs };
    this.writers = writers;
    this.managers = Array.from({ length: count }, () => new Manager(target, writers, options));
  }

  async start() {
    const waiting = this.managers.values();
    const worker = async () => {
      for (const manager of waiting) await manager.start();
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    await this.allLive();
  }

  get good() {
    return this.managers.filter(({ certificate }) => !certificate.revoked);
  }

  async allLive() {
    await waitFor(() => this.good.every(({ live }) => live), {
      what: 'the streams of all good managers',
      deadlineMs: 180_000,
    });
  }

  /**
   * Revokes the certificates of some live managers, one after another, and watches their streams.
   * @param over resolves when nothing is broken any more; the time of their streams counts from there
   */
  async revoke(count, over) {
    for (const manager of this.good.filter(({ live }) => live).slice(0, count)) {
      await this.writers.revoke(manager.certificate);
      this.#watches.push(this.#watch(manager, over));
    }
  }

  /** Resolves when every watched stream has ended or was given up. */
  async settled() {
    await Promise.all(this.#watches);
  }

  async #watch(manager, over) {
    const began = performance.now();
    await over;
    const ended = await waitFor(() => !manager.live, { deadlineMs: limitMs, everyMs: 5 }).catch(
      () => false,
    );
    if (!ended) this.missed.push(manager.certificate.serial);
    else if (!over) this.cuts.push(performance.now() - began);
  }

  async stop() {
    await Promise.all(this.managers.map((manager) => manager.stop()));
  }
}
