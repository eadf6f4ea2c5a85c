import type { Command } from 'commander';
import { collect, pageOptions, type PageOptions } from '../options.js';
import type { Act } from '../context.js';

/** `glacis token create|list|revoke|rotate-keys`. */
export function tokenCommands(program: Command, act: Act): void {
  const token = program.command('token').description('bearer tokens of the local issuer');
  createCommand(token, act);
  const list = pageOptions(token.command('list').description('lists tokens, never their text'));
  act(list, async ({ client, show }, _, options: PageOptions) => {
    const page = await client.get<{ tokens: Record<string, unknown>[] }>('/tokens', { ...options });
    const columns = ['id', 'subject', 'tenant', 'roles', 'expires_at', 'revoked_at'];
    show({ list: page.tokens, columns });
  });
  const revoke = token.command('revoke <id>').description('ends a token at once, everywhere');
  act(revoke, async ({ client, say }, [id]) => {
    await client.call('DELETE', `/tokens/${encodeURIComponent(id ?? '')}`);
    say(`revoked ${id}`);
  });
  const rotate = token
    .command('rotate-keys')
    .description('signs tokens with a new key from now on')
    .option('--overlap <duration>', 'how long earlier tokens are good; 0 refuses all of them');
  act(rotate, async ({ client, show }, _, { overlap }: { overlap?: string }) => {
    const body = { overlap };
    show({ object: (await client.call('POST', '/tokens/keys/rotation', { body })).json() });
  });
}

interface CreateOptions {
  subject: string;
  tenant?: string;
  role: string[];
  ttl?: string;
}

function createCommand(token: Command, act: Act): void {
  const create = token
    .command('create')
    .description('makes a token; its text is shown this one time')
    .requiredOption('--subject <name>', 'who will use it')
    .option('--tenant <id>', 'tenant that it acts in')
    .option('--role <role>', 'member, admin or platform-admin; repeatable', collect, [])
    .option('--ttl <duration>', 'life, such as 24h')
    .addHelpText(
      'after',
      '\nExample:\n  glacis token create --subject ci --tenant default --role member --ttl 1h -o json',
    );
  act(create, async ({ client, show }, _, { subject, tenant, role, ttl }: CreateOptions) => {
    const body = { subject, tenant, roles: role.length > 0 ? role : ['member'], ttl };
    show({ object: (await client.call('POST', '/tokens', { body })).json() });
  });
}
