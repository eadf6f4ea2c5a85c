import { stat } from 'node:fs/promises';
import { loadKeks } from '@glacis/pki';
import { systemClock, type Clock } from '@glacis/runtime';

/** Milliseconds after the change of the file for which its older secrets still count (`jobs.md` 12). */
const graceMs = 3_600_000;

/**
 * The secrets of the service, from the file that its settings name. Whoever needs a key derives it by HKDF with a label
 * of its own.
 */
export class Secrets {
  private constructor(
    private readonly all: readonly Buffer[],
    private readonly changedAt: number,
    private readonly clock: Clock,
  ) {}

  /** @throws {KekUnavailableError} when the file holds no secrets of 32 bytes */
  static async load(file: string, clock: Clock = systemClock): Promise<Secrets> {
    const { current, byId } = await loadKeks(file);
    const all = [current, ...byId.values()].map(({ key }) => key);
    return new Secrets([...new Set(all)], (await stat(file)).mtimeMs, clock);
  }

  /** What is signed with now; 32 bytes. */
  get current(): Buffer {
    return this.all[0] as Buffer;
  }

  /** What a signature may have been made with, the newest first. */
  get accepted(): readonly Buffer[] {
    const isFresh = this.clock.now().getTime() < this.changedAt + graceMs;
    return isFresh ? this.all : this.all.slice(0, 1);
  }
}
