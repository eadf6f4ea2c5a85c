import { setFlagsFromString } from 'node:v8';

/**
 * What V8's collector goes by; it looks at each collection. `size`: it collects everything early, and gives memory back.
 * `speed`: its own way, which takes some 30 MB more and half of the time of its threads (decision 0046).
 */
export type HeapAim = 'size' | 'speed';

let isAdaptive = false;

/** From now on the aim is `size`, but where `aimAt` says otherwise. */
export function keepHeapSmall(): void {
  isAdaptive = true;
  aimAt('size');
}

/** Without effect in a process that has not asked for a small heap. */
export function aimAt(aim: HeapAim): void {
  if (isAdaptive) setFlagsFromString(`--${aim === 'size' ? '' : 'no-'}optimize-for-size`);
}
