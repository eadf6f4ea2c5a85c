export interface CoalesceOptions {
  /** Items of one run at most. Default 256. */
  maxBatch?: number;
  /** Runs under way at once at most. Default 1. */
  concurrency?: number;
}

interface Call<I, O> {
  item: I;
  resolve(value: O): void;
  reject(reason: unknown): void;
}

/**
 * Turns many concurrent calls into few runs: while a run is under way calls gather, and the next run takes them all.
 * A run starts when the turn of the event loop is over, so the calls of one turn share it; nothing waits for a timer.
 *
 * @param run gives one result per item, in the order of the items. An `Error` as result rejects only that call; a
 *   throw, or a wrong number of results, rejects every call of the run.
 */
export function coalesce<I, O>(
  run: (items: I[]) => Promise<(O | Error)[]>,
  options: CoalesceOptions = {},
): (item: I) => Promise<O> {
  const { maxBatch = 256, concurrency = 1 } = options;
  const waiting: Call<I, O>[] = [];
  let running = 0;
  let starting = false;

  const settle = (calls: Call<I, O>[], results: (O | Error)[]): void => {
    if (results.length !== calls.length) {
      throw new Error(`coalesce: ${calls.length} items gave ${results.length} results`);
    }
    calls.forEach((call, i) => {
      const result = results[i] as O | Error;
      if (result instanceof Error) call.reject(result);
      else call.resolve(result);
    });
  };

  const runOnce = async (calls: Call<I, O>[]): Promise<void> => {
    try {
      settle(calls, await run(calls.map((call) => call.item)));
    } catch (error) {
      for (const call of calls) call.reject(error);
    }
    running -= 1;
    next();
  };

  const next = (): void => {
    while (running < concurrency && waiting.length > 0) {
      running += 1;
      void runOnce(waiting.splice(0, maxBatch));
    }
  };

  const start = (): void => {
    starting = false;
    next();
  };

  return (item) =>
    new Promise<O>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (starting) return;
      starting = true;
      setImmediate(start);
    });
}
