import type { Command } from 'commander';
import { CheckFailedError, type Act } from '../context.js';

interface Readiness {
  status: string;
  details: Record<string, { status: string; reason?: string }>;
}

/** `glacis status`: what the server depends on, each with its state and reason. */
export function statusCommand(program: Command, act: Act): void {
  const status = program
    .command('status')
    .description('shows whether the server is ready, and what of it is not');
  act(status, async ({ client, show }) => {
    const reply = await client.call('GET', '/health/ready', { anonymous: true, accept: [503] });
    const readiness = reply.json<Readiness>();
    const list = Object.entries(readiness.details).map(([name, { status: state, reason }]) => ({
      name,
      status: state,
      reason,
    }));
    show({ list, columns: ['name', 'status', 'reason'] });
    if (readiness.status !== 'ok') throw new CheckFailedError('the server is not ready');
  });
}
