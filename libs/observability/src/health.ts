export interface HealthEntry {
  status: 'up' | 'down';
  /** Why it is down. */
  reason?: string;
}

/** `info` holds what is up, `error` what is down, `details` both. */
export interface HealthReport {
  status: 'ok' | 'error';
  info: Record<string, HealthEntry>;
  error: Record<string, HealthEntry>;
  details: Record<string, HealthEntry>;
}

export type HealthCheck = () => void | Promise<void>;

/** Milliseconds that one check may take. */
const checkLimitMs = 2000;

/** What the process needs in order to serve; each dependency adds its check under its own name. */
export class Health {
  private readonly checks = new Map<string, HealthCheck>();

  /** @param check throws, with the reason as message, while the dependency is down; bounded by 2 s */
  add(name: string, check: HealthCheck): void {
    this.checks.set(name, check);
  }

  remove(name: string): void {
    this.checks.delete(name);
  }

  /** The process answers, nothing else. */
  live(): HealthReport {
    return report([]);
  }

  /** Runs every check, all at once. */
  async ready(): Promise<HealthReport> {
    return report(
      await Promise.all(
        [...this.checks].map(async ([name, check]): Promise<[string, HealthEntry]> => [
          name,
          await outcome(check),
        ]),
      ),
    );
  }
}

function report(entries: [string, HealthEntry][]): HealthReport {
  const down = entries.filter(([, entry]) => entry.status === 'down');
  return {
    status: down.length === 0 ? 'ok' : 'error',
    info: Object.fromEntries(entries.filter(([, entry]) => entry.status === 'up')),
    error: Object.fromEntries(down),
    details: Object.fromEntries(entries),
  };
}

async function outcome(check: HealthCheck): Promise<HealthEntry> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${checkLimitMs} ms`)),
      checkLimitMs,
    );
  });
  try {
    await Promise.race([limit, (async () => check())()]);
    return { status: 'up' };
  } catch (error) {
    return { status: 'down', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
