import type { Command } from 'commander';
import type { Act } from '../context.js';

interface Issuers {
  issuers: Record<string, unknown>[];
}

const columns = ['issuer_id', 'kind', 'state', 'subject', 'not_after', 'signs_from', 'has_key'];

/** `glacis ca list|rotate|revoke`. */
export function caCommands(program: Command, act: Act): void {
  const ca = program.command('ca').description('the certificate authority itself');
  const list = ca.command('list').description('lists the CA certificates and their states');
  act(list, async ({ client, show }) => {
    const { issuers } = await client.get<Issuers>('/certs/ca/issuers');
    show({ list: issuers, columns });
  });
  rotateCommand(ca, act);
  const revoke = ca
    .command('revoke <issuer>')
    .description(
      'revokes an intermediate whose key is compromised, and every certificate under it',
    );
  act(revoke, async ({ client, say, show }, [issuer]) => {
    const path = `/certs/ca/${encodeURIComponent(issuer ?? '')}/revoke`;
    const { issuers } = (await client.call('PATCH', path)).json<Issuers>();
    say(`revoked ${issuer}`);
    show({ list: issuers, columns });
  });
}

interface RotateOptions {
  root?: boolean;
  overlap?: string;
}

function rotateCommand(ca: Command, act: Act): void {
  const rotate = ca
    .command('rotate')
    .description('makes the next intermediate; it is published at once and signs after the overlap')
    .option('--root', 'makes the next root too, cross-signed with the current one')
    .option('--overlap <duration>', 'time until it signs, 24h at least')
    .addHelpText('after', '\nExample:\n  glacis ca rotate --root --overlap 168h');
  act(rotate, async ({ client, show }, _, { root, overlap }: RotateOptions) => {
    const body = { kind: root ? 'root' : 'intermediate', overlap };
    const { issuers } = (
      await client.call('POST', '/certs/ca/rotations', { body })
    ).json<Issuers>();
    show({ list: issuers, columns });
  });
}
