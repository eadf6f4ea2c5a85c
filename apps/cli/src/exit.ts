/** 0 done; 1 the server refused it, or a check failed; 2 wrong usage; 3 no server there. */
export const exitCodes = { done: 0, refused: 1, usage: 2, unreachable: 3 } as const;

/** Ends a command with a message and, where it has one, an exit code of its own (jobs.md 3.2). */
export class ExitError extends Error {
  constructor(
    message: string,
    readonly code: number = exitCodes.refused,
  ) {
    super(message);
  }
}
