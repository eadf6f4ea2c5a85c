/** Something that every replica does again and again in the background. */
export interface Duty {
  readonly name: string;
  /** From the end of one run to the next. */
  readonly intervalMs: number;
  /** @param signal aborted at shutdown, for a run that would not end by itself */
  run(signal: AbortSignal): Promise<void>;
}

/** Injection token of all duties. */
export const DUTIES = Symbol('duties');
