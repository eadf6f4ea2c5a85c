/** What a program's `main.ts` keeps in its hands. */
export interface Running {
  stop(): Promise<void>;
}

/** Something that the operator puts right; it needs no stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

export interface RunOptions {
  /** What stands before the reason when the start fails. */
  name: string;
  start: () => Promise<Running>;
  /** Milliseconds that a stop may take; then the process ends without it. */
  stopLimitMs: number;
  /** Errors beside `StartError` that explain themselves, such as `SettingsError`. */
  plain?: readonly (new (...args: never[]) => Error)[];
}

/**
 * Runs a program to its end: exit 0 after SIGTERM or SIGINT, 1 when it cannot start or does not stop in time. A signal
 * during the start counts when the start is over.
 */
export async function run(options: RunOptions): Promise<void> {
  const started = options.start();
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), options.stopLimitMs).unref();
    await (await started).stop();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());
  try {
    await started;
  } catch (error) {
    console.error(`${options.name} cannot start: ${explain(error, options.plain ?? [])}`);
    process.exit(1);
  }
}

function explain(error: unknown, plain: Required<RunOptions>['plain']): string {
  if (!(error instanceof Error)) return String(error);
  const known = [StartError, ...plain].some((type) => error instanceof type);
  return known ? error.message : (error.stack ?? error.message);
}
