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

interface Check {
  run: HealthCheck;
  essential: () => boolean;
}

/** What the process needs in order to serve; each dependency adds its check under its own name. */
export class Health {
  private readonly checks = new Map<string, Check>();

  /**
   * @param check throws, with the reason as message, while the dependency is down; bounded by 2 s
   * @param options `essential` false: it is reported, and the process is ready without it; or a function that says so
   *   at each look. Default true
   */
  add(
    name: string,
    check: HealthCheck,
    { essential = true }: { essential?: boolean | (() => boolean) } = {},
  ): void {
    const isEssential = typeof essential === 'function' ? essential : (): boolean => essential;
    this.checks.set(name, { run: check, essential: isEssential });
  }

  remove(name: string): void {
    this.checks.delete(name);
  }

  /** The process answers, nothing else. */
  live(): HealthReport {
    return report([], true);
  }

  /** Runs every check, all at once. */
  async ready(): Promise<HealthReport> {
    const outcomes = await Promise.all(
      [...this.checks].map(async ([name, { run, essential }]) => {
        const entry = await outcome(run);
        return { name, entry, holds: !essential() || entry.status === 'up' };
      }),
    );
    return report(
      outcomes.map(({ name, entry }) => [name, entry]),
      outcomes.every(({ holds }) => holds),
    );
  }
}

function report(entries: [string, HealthEntry][], ok: boolean): HealthReport {
  return {
    status: ok ? 'ok' : 'error',
    info: Object.fromEntries(entries.filter(([, entry]) => entry.status === 'up')),
    error: Object.fromEntries(entries.filter(([, entry]) => entry.status === 'down')),
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
