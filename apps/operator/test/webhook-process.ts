import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@glacis/testbed';
import { Daemon, freePort, makeCertificateAuthority } from '@glacis/testbed/cluster';

const script = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** The roles `validator` and `mutator` in a process of its own, over TLS by files. */
export class WebhookProcess {
  private constructor(
    readonly daemon: Daemon,
    readonly url: string,
    /** PEM of the CA that its certificate is of. */
    readonly ca: Buffer,
  ) {}

  static async start(kubeconfig: string): Promise<WebhookProcess> {
    const folder = await temporaryFolder();
    const authority = await makeCertificateAuthority(folder, '/CN=webhooks CA');
    const { cert, key } = await authority.issue('webhooks', '/CN=webhooks', ['IP:127.0.0.1']);
    const port = await freePort();
    const roles = ['--role', 'validator', '--role', 'mutator'];
    const listen = ['--host', '127.0.0.1', '--port', String(port)];
    const daemon = new Daemon({
      name: 'the webhooks',
      file: process.execPath,
      args: [script, ...roles, ...listen, '--tls-crt', cert, '--tls-key', key],
      env: { ...process.env, KUBECONFIG: kubeconfig, GLACIS_OPERATOR_HTTP_PORT: '0' },
      logFile: join(folder, 'webhooks.log'),
      ready: (log) => log.includes('operator has started'),
    });
    await daemon.start();
    return new WebhookProcess(daemon, `https://127.0.0.1:${port}`, await readFile(authority.cert));
  }

  /** As an API server is to call it. */
  clientConfig(path: string): object {
    return { url: `${this.url}${path}`, caBundle: this.ca.toString('base64') };
  }

  /** Its page of health and metrics. */
  async page(path: string): Promise<{ status: number; text: string }> {
    const log = await readFile(this.daemon.logFile, 'utf8');
    const [, at = ''] = /http (127\.0\.0\.1:\d+)/.exec(log) ?? [];
    const reply = await fetch(`http://${at}${path}`);
    return { status: reply.status, text: await reply.text() };
  }

  stop(): Promise<void> {
    return this.daemon.stop();
  }
}
