import type { Command } from 'commander';
import { servicesOf } from '../services.js';
import { CheckFailedError, type Act } from '../context.js';

interface Verification {
  intact: boolean;
  [member: string]: unknown;
}

/** `glacis audit verify`: recomputes the hash chain of every service's audit trail. */
export function auditCommands(program: Command, act: Act): void {
  const audit = program.command('audit').description('the audit trail');
  const verify = audit
    .command('verify')
    .description('checks that no audit record was changed, removed or reordered')
    .option('--service <name>', 'only the trail of this service');
  act(verify, async ({ client, show }, _, { service }: { service?: string }) => {
    const list: Verification[] = [];
    for (const name of await servicesOf(client, service)) {
      const path = `/audit/${encodeURIComponent(name)}/verification`;
      list.push({ service: name, ...(await client.get<Verification>(path)) });
    }
    show({ list, columns: ['service', 'intact', 'sealed', 'unsealed', 'broken_at', 'reason'] });
    if (!list.every(({ intact }) => intact)) throw new CheckFailedError('the trail is broken');
  });
}
