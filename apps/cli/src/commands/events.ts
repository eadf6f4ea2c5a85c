import type { Command } from 'commander';
import { UsageError } from '../client.js';
import { servicesOf } from '../services.js';
import { pageOptions, type PageOptions } from '../options.js';
import type { Act } from '../context.js';

type DeadLetter = Record<string, unknown>;

/** `glacis events dead-letters|redrive`. */
export function eventCommands(program: Command, act: Act): void {
  const events = program.command('events').description('events that could not be handled');
  const list = pageOptions(
    events
      .command('dead-letters')
      .description('lists events that failed for good, with cause and attempts')
      .option('--service <name>', 'only those of this service'),
  );
  act(list, async ({ client, show }, _, options: PageOptions & { service?: string }) => {
    const { service, ...page } = options;
    const letters: DeadLetter[] = [];
    for (const name of await servicesOf(client, service)) {
      const reply = await client.get<{ dead_letters: DeadLetter[] }>(pathOf(name), { ...page });
      letters.push(...reply.dead_letters.map((letter) => ({ service: name, ...letter })));
    }
    show({ list: letters, columns: ['service', 'id', 'type', 'subject', 'attempts', 'cause'] });
  });
  redriveCommand(events, act);
}

const pathOf = (service: string): string => `/events/${encodeURIComponent(service)}/dead-letters`;

function redriveCommand(events: Command, act: Act): void {
  const redrive = events
    .command('redrive [ids...]')
    .description('has dead letters handled again')
    .requiredOption('--service <name>', 'the service that could not handle them')
    .option('--all', 'every dead letter of the service')
    .addHelpText('after', '\nExample:\n  glacis events redrive --service backends --all');
  act(redrive, async ({ client, say }, ids, options: { service: string; all?: boolean }) => {
    if (!options.all && ids.length === 0) throw new UsageError('redrive: name ids, or --all');
    const base = pathOf(options.service);
    if (options.all) {
      await client.call('POST', `${base}/redrive`);
      say(`all dead letters of ${options.service} are handled again`);
      return;
    }
    for (const id of ids) {
      await client.call('POST', `${base}/${encodeURIComponent(id)}/redrive`);
      say(`${id} is handled again`);
    }
  });
}
