/** A step of a deployment that other steps may wait for. */
export interface Task {
  id: string;
  /** For people: the component, or the flow, that it belongs to. */
  subject: string;
  /** Ids of tasks that have to be done before; all of them are in the same list, and there is no circle. */
  after: readonly string[];
  run(): Promise<void>;
}

export type Outcome =
  | { kind: 'done' }
  | { kind: 'failed'; error: unknown }
  /** Something that it waits for was not done. */
  | { kind: 'skipped'; waitsFor: string }
  /** Nothing was to begin any more. */
  | { kind: 'dropped' };

export interface TaskOptions {
  /** Tasks at work at once. */
  limit: number;
  /** Asked before each task begins; once it says yes, no other begins. */
  stopped: () => boolean;
}

/**
 * Runs tasks as soon as those before them are done, independent ones side by side. A task that fails keeps back those that
 * come after it and no others.
 */
export async function runTasks(
  tasks: readonly Task[],
  { limit, stopped }: TaskOptions,
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const left = new Set(tasks);
  const subjects = new Map(tasks.map(({ id, subject }) => [id, subject]));
  const running = new Set<Promise<void>>();
  const begin = (task: Task): void => {
    left.delete(task);
    const ended = settle(task).then((outcome) => {
      outcomes.set(task.id, outcome);
      running.delete(ended);
    });
    running.add(ended);
  };
  for (;;) {
    const due = next([...left], outcomes, subjects);
    for (const [task, outcome] of due.decided) {
      left.delete(task);
      outcomes.set(task.id, outcome);
    }
    if (stopped()) break;
    due.ready.slice(0, limit - running.size).forEach(begin);
    if (due.decided.length > 0) continue;
    if (running.size === 0) break;
    await Promise.race(running);
  }
  await Promise.all(running);
  for (const { id } of left) outcomes.set(id, { kind: 'dropped' });
  return outcomes;
}

async function settle(task: Task): Promise<Outcome> {
  try {
    await task.run();
    return { kind: 'done' };
  } catch (error) {
    return { kind: 'failed', error };
  }
}

/** Tasks that could begin, and those of which it is decided that they will not. */
function next(
  left: readonly Task[],
  outcomes: ReadonlyMap<string, Outcome>,
  subjects: ReadonlyMap<string, string>,
): { ready: Task[]; decided: [Task, Outcome][] } {
  const ready: Task[] = [];
  const decided: [Task, Outcome][] = [];
  for (const task of left) {
    const missing = task.after.find((id) => isOver(outcomes.get(id)));
    if (missing !== undefined) {
      const waitsFor = subjects.get(missing) ?? missing;
      decided.push([task, { kind: 'skipped', waitsFor }]);
    } else if (task.after.every((id) => outcomes.get(id)?.kind === 'done')) ready.push(task);
  }
  return { ready, decided };
}

const isOver = (outcome: Outcome | undefined): boolean =>
  outcome !== undefined && outcome.kind !== 'done';
