/** Something that every replica does again and again in the background. */
export interface Duty {
  readonly name: string;
  /** From the end of one run to the next. */
  readonly intervalMs: number;
  run(): Promise<void>;
}

/** Injection token of all duties. */
export const DUTIES = Symbol('duties');
