import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { collect, pageOptions, type PageOptions } from '../options.js';
import type { Act } from '../context.js';

type Certificate = Record<string, unknown>;

/** `glacis cert issue|list|show|download|renew|revoke`. */
export function certificateCommands(program: Command, act: Act): void {
  const cert = program.command('cert').description('certificates of backends');
  issueCommand(cert, act);
  listCommand(cert, act);
  const show = cert.command('show <serial>').description('one certificate, never its key');
  act(show, async (context, [serial]) => {
    context.show({ object: await context.client.get<Certificate>(pathOf(serial)) });
  });
  downloadCommand(cert, act);
  renewCommand(cert, act);
  revokeCommand(cert, act);
}

const pathOf = (serial = ''): string => `/certs/${encodeURIComponent(serial)}`;

interface IssueOptions {
  ip: string[];
  dns: string[];
  ttl?: string;
  keyAlgorithm?: string;
  serverAuth?: boolean;
}

function issueCommand(cert: Command, act: Act): void {
  const issue = cert
    .command('issue <backend>')
    .description('issues a certificate; its key can be downloaded for a day')
    .option('--ip <address>', 'IP address in it; repeatable', collect, [])
    .option('--dns <name>', 'DNS name in it; repeatable', collect, [])
    .option('--ttl <duration>', 'life, such as 2160h')
    .option('--key-algorithm <name>', 'ECDSA-P256, RSA-2048, RSA-4096 or Ed25519')
    .option('--server-auth', 'also for use as a server')
    .addHelpText(
      'after',
      '\nExample:\n  glacis cert issue BACKEND_ID --ip 192.168.100.4 --ttl 720h',
    );
  act(issue, async ({ client, show }, [backend], options: IssueOptions) => {
    const body = {
      ip_addresses: options.ip,
      dns_names: options.dns,
      ttl: options.ttl,
      key_algorithm: options.keyAlgorithm,
      server_auth: options.serverAuth,
    };
    const path = `/certs/issue/backend/${encodeURIComponent(backend ?? '')}`;
    show({ object: (await client.call('POST', path, { body })).json() });
  });
}

function listCommand(cert: Command, act: Act): void {
  const list = pageOptions(
    cert
      .command('list')
      .description('lists certificates, newest first')
      .option('--backend <id>', 'only those of this backend')
      .option('--status <status>', 'valid, revoked or expired'),
  );
  act(list, async (context, _, options: PageOptions & { backend?: string; status?: string }) => {
    const { backend, ...rest } = options;
    const query = { ...rest, entity_id: backend };
    const page = await context.client.get<{ certificates: Certificate[] }>('/certs', query);
    const columns = ['SerialNumber', 'EntityID', 'Revoked', 'ExpiryDate'];
    context.show({ list: page.certificates, columns });
  });
}

interface Download {
  certificate: string;
  private_key: string | null;
  ca: string;
}

function downloadCommand(cert: Command, act: Act): void {
  const download = cert
    .command('download <serial>')
    .description('writes ca.pem, cert.pem and, while it is stored, key.pem')
    .option('--out <dir>', 'folder, made when missing', '.');
  act(download, async ({ client, show }, [serial], { out }: { out: string }) => {
    const { token } = await client.get<{ token: string }>(`${pathOf(serial)}/download/token`);
    const files = (
      await client.call('GET', `${pathOf(serial)}/download`, {
        query: { token },
        headers: { accept: 'application/json' },
        anonymous: true,
      })
    ).json<Download>();
    show({ object: writeFiles(out, files) });
  });
}

function writeFiles(dir: string, files: Download): Certificate {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const write = (name: string, base64: string, mode: number): string => {
    const path = join(dir, name);
    writeFileSync(path, Buffer.from(base64, 'base64'), { mode });
    return path;
  };
  return {
    ca: write('ca.pem', files.ca, 0o644),
    certificate: write('cert.pem', files.certificate, 0o644),
    private_key: files.private_key === null ? null : write('key.pem', files.private_key, 0o600),
  };
}

function renewCommand(cert: Command, act: Act): void {
  const renew = cert
    .command('renew <serial>')
    .description('issues a successor with the same key')
    .option('--ttl <duration>', 'life, else that of the old one')
    .option('--revoke-old', 'revokes the old one as superseded: ends its live stream');
  act(renew, async ({ client, show }, [serial], options: { ttl?: string; revokeOld?: boolean }) => {
    const body = { ttl: options.ttl, revoke_old: options.revokeOld };
    const headers = { accept: 'application/json' };
    show({
      object: (await client.call('PATCH', `${pathOf(serial)}/renew`, { body, headers })).json(),
    });
  });
}

function revokeCommand(cert: Command, act: Act): void {
  const revoke = cert
    .command('revoke <serial>')
    .description('revokes it: live streams end within a second')
    .option('--reason <reason>', 'RFC 5280 reason, such as keyCompromise or cessationOfOperation');
  act(revoke, async ({ client, say }, [serial], { reason }: { reason?: string }) => {
    await client.call('PATCH', `${pathOf(serial)}/revoke`, { body: { reason } });
    say(`revoked ${serial}`);
  });
}
