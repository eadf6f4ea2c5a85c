/** What is wrong with the data of a run (jobs.md 13). The owner concerned has to mend it: the same data fails again. */
export class RunFinding extends Error {
  override readonly name = 'RunFinding';

  constructor(
    readonly code: 'inconsistent_forms' | 'out_of_range' | 'join_key_not_unique',
    /** Position in `plan.tables`. */
    readonly table: number,
    readonly column: string,
    /** Position of the owner in registration sequence; absent where no single one is to blame. */
    readonly owner?: number,
  ) {
    super(code);
  }
}
