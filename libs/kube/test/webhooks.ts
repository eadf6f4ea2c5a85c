import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { makeCertificateAuthority, type CertificateAuthority } from '@glacis/testbed/cluster';
import { temporaryFolder } from '@glacis/testbed';
import { credentialFiles, type CredentialsSource } from '../src/index.js';

/** Files as cert-manager's Secret has them when it is mounted, and an authority that replaces them. */
export class MountedSecret {
  private constructor(
    readonly folder: string,
    readonly source: CredentialsSource,
  ) {}

  static async of(authority: CertificateAuthority): Promise<MountedSecret> {
    const folder = await temporaryFolder();
    const files = {
      key: join(folder, 'tls.key'),
      cert: join(folder, 'tls.crt'),
      ca: join(folder, 'ca.crt'),
    };
    const secret = new MountedSecret(folder, credentialFiles(files));
    await secret.renew(authority);
    return secret;
  }

  /** One file after another, as no copy is atomic. */
  async renew(authority: CertificateAuthority): Promise<void> {
    const { cert, key } = await authority.issue('webhook', '/CN=webhook', ['IP:127.0.0.1']);
    await copyFile(cert, join(this.folder, 'tls.crt'));
    await copyFile(key, join(this.folder, 'tls.key'));
    await copyFile(authority.cert, join(this.folder, 'ca.crt'));
  }
}

export async function authority(name: string): Promise<CertificateAuthority> {
  return makeCertificateAuthority(await temporaryFolder(), `/CN=${name}`);
}

export interface HttpAnswer {
  status: number;
  body: string;
  /** Issuer of the server's certificate. */
  issuer: string;
  /** Tells connections apart. */
  localPort: number | undefined;
}

/** One HTTPS request of its own connection, unless the options hold an agent. */
export async function https(options: RequestOptions, body?: string | Buffer): Promise<HttpAnswer> {
  const sent = request({ host: '127.0.0.1', agent: false, ...options });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const socket = answer.socket as TLSSocket;
  const issuer = socket.getPeerX509Certificate?.()?.issuer ?? '';
  const { localPort } = socket;
  return { status: answer.statusCode ?? 0, body: await text(answer), issuer, localPort };
}
