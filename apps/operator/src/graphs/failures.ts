import { textOf, type Finding } from '@glacis/graphs';

/** A rule that only the cluster could tell of, such as a Namespace that somebody else was faster to take. */
export class Breach extends Error {
  override readonly name = 'Breach';

  constructor(readonly findings: readonly Finding[]) {
    super(textOf(findings));
  }
}

/** What a user reads of an error, whatever its kind. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
