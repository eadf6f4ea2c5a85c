// Runs programs for the operator, as it is told over the channel between them (launcher.ts).
import type { FromLauncher, ToLauncher } from './launcher.js';
import { runProcess } from './run-process.js';

const running = new Map<number, AbortController>();

async function launch(
  id: number,
  { file, options }: NonNullable<ToLauncher['program']>,
): Promise<FromLauncher> {
  const stopping = new AbortController();
  running.set(id, stopping);
  try {
    return { id, result: await runProcess(file, { ...options, signal: stopping.signal }) };
  } catch (error) {
    return { id, error: String(error) };
  } finally {
    running.delete(id);
  }
}

process.on('message', ({ id, program }: ToLauncher) => {
  if (program) void launch(id, program).then((told) => process.send?.(told));
  else running.get(id)?.abort();
});
// The operator has ended, and with us ends what we run.
process.on('disconnect', () => process.exit());
// They are meant for the operator, which lets us go when it has come to its end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
