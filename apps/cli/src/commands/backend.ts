import type { Command } from 'commander';
import { pageOptions, type PageOptions } from '../options.js';
import type { Act } from '../context.js';

type Backend = Record<string, unknown>;

/** `glacis backend create|list|show|enrolment-token|terminate|delete`. */
export function backendCommands(program: Command, act: Act): void {
  const backend = program
    .command('backend')
    .description('TEE hosts and the streams of their managers');
  createCommand(backend, act);
  listCommand(backend, act);
  const show = backend.command('show <id>').description('one backend, live state included');
  act(show, async (context, [id]) => {
    context.show({ object: await context.client.get<Backend>(pathOf(id)) });
  });
  enrolmentTokenCommand(backend, act);
  terminateCommand(backend, act);
  const remove = backend
    .command('delete <id>')
    .description('removes a backend: its stream ends and its certificates are revoked');
  act(remove, async ({ client, say }, [id]) => {
    await client.call('DELETE', pathOf(id));
    say(`deleted ${id}`);
  });
}

const pathOf = (id = ''): string => `/backends/${encodeURIComponent(id)}`;

function createCommand(backend: Command, act: Act): void {
  const create = backend
    .command('create')
    .description('enrols a host')
    .requiredOption('--name <name>', 'unique in the tenant')
    .option('--address <address>', 'host or IP of its manager', '')
    .option('--description <text>', 'for people', '')
    .option('--protocol <dialect>', 'auto, seed, v0.2, v0.3 or v0.4')
    .addHelpText(
      'after',
      '\nExample:\n  glacis backend create --name rack1-host3 --address 192.168.100.4 --protocol v0.4',
    );
  act(create, async ({ client, show }, _, options) => {
    const reply = await client.call('POST', '/backends', { body: options });
    const location = reply.headers.get('location') ?? '';
    show({ object: await client.get<Backend>(location) });
  });
}

function listCommand(backend: Command, act: Act): void {
  const list = pageOptions(
    backend
      .command('list')
      .description('lists backends')
      .option('--name <part>', 'only names that hold this text')
      .option('--active', 'only those with an open stream'),
  );
  act(
    list,
    async ({ client, show }, _, options: PageOptions & { name?: string; active?: boolean }) => {
      const page = await client.get<{ backends: Backend[] }>('/backends', { ...options });
      const columns = ['id', 'name', 'address', 'active', 'last_seen', 'protocol'];
      show({ list: page.backends, columns });
    },
  );
}

function enrolmentTokenCommand(backend: Command, act: Act): void {
  const make = backend
    .command('enrolment-token <id>')
    .description('a token by which the host gets its certificate, used once')
    .option('--ttl <duration>', 'life of the token, at most 1h', '15m')
    .option('--cidr <block>', 'addresses that the host must come from', '')
    .addHelpText(
      'after',
      '\nThen on the host:\n  manager enrol --server <host>:9012 --backend <id> --token <token> --ca-sha256 <ca_sha256>',
    );
  act(make, async ({ client, show }, [id], options: { ttl: string; cidr: string }) => {
    const path = `${pathOf(id)}/enrolment-tokens`;
    const reply = await client.call('POST', path, { body: options });
    show({ object: reply.json<Backend>() });
  });
}

function terminateCommand(backend: Command, act: Act): void {
  const terminate = backend
    .command('terminate <id>')
    .description('ends the open stream of a backend')
    .option('--type <type>', '0 certificate revocation, 1 user', '1')
    .option('--reason <text>', 'recorded, up to 256 characters');
  act(terminate, async ({ client, say }, [id], options: { type: string; reason?: string }) => {
    const path = `/backends/terminate/${encodeURIComponent(id ?? '')}/${encodeURIComponent(options.type)}`;
    await client.call('POST', path, { body: { reason: options.reason } });
    say(`termination of ${id} recorded`);
  });
}
