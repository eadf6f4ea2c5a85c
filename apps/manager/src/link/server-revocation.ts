import { createHash, type X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeerCertificate } from 'node:tls';
import type { Log } from '../log.js';
import { crlUrlOf, revokedSerials } from './crl.js';
import { verifiedChain } from './server-chain.js';

/** A list older than this is fetched anew before the next connection. */
const freshMs = 60_000;
const fetchTimeoutMs = 5_000;
const maxListBytes = 4 * 1024 * 1024;

interface List {
  serials: ReadonlySet<string>;
  readAt: number;
}

/**
 * Refuses a server whose chain holds an intermediate that its issuer has revoked. A connection that needs a list
 * which is not at hand fails; `refresh` then gets it, and the next attempt decides. Out of reach, the copy kept last
 * counts; without one the chain passes, and that is logged.
 */
export class ServerRevocation {
  private readonly lists = new Map<string, List>();
  private readonly wanted = new Map<string, X509Certificate>();

  constructor(
    private readonly folder: string,
    private readonly log: Log,
    private readonly now: () => number = () => Date.now(),
  ) {}

  /** Why this server is refused, or undefined. */
  check(peer: PeerCertificate, caPem: string): Error | undefined {
    try {
      const chain = verifiedChain(peer, caPem);
      for (const [index, certificate] of chain.entries()) {
        const issuer = chain[index + 1];
        if (index > 0 && issuer !== undefined) this.checkOne(certificate, issuer);
      }
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  /** Gets the lists that checks have missed; true when there were any, so that dialling again makes sense. */
  async refresh(): Promise<boolean> {
    const wanted = [...this.wanted];
    this.wanted.clear();
    await Promise.all(wanted.map(([url, issuer]) => this.read(url, issuer)));
    return wanted.length > 0;
  }

  private checkOne(certificate: X509Certificate, issuer: X509Certificate): void {
    const url = crlUrlOf(certificate);
    if (url === undefined) return;
    const list = this.lists.get(url);
    if (list?.serials.has(certificate.serialNumber)) {
      throw new Error('an intermediate of the server was revoked');
    }
    if (list === undefined || this.now() - list.readAt > freshMs) {
      this.wanted.set(url, issuer);
      throw new Error('the revocation list of the server chain is not at hand');
    }
  }

  private async read(url: string, issuer: X509Certificate): Promise<void> {
    const serials = (await this.fetched(url, issuer)) ?? (await this.kept(url, issuer));
    if (serials === undefined) this.log.warn({ url }, 'no revocation list of the server chain');
    this.lists.set(url, { serials: serials ?? new Set(), readAt: this.now() });
  }

  private async fetched(url: string, issuer: X509Certificate): Promise<Set<string> | undefined> {
    try {
      const reply = await fetch(url, { signal: AbortSignal.timeout(fetchTimeoutMs) });
      if (!reply.ok) throw new Error(`status ${reply.status}`);
      const der = await bounded(reply);
      const serials = revokedSerials(der, issuer);
      await this.keep(url, der);
      return serials;
    } catch (error) {
      this.log.warn({ url, err: error }, 'revocation list could not be fetched');
      return undefined;
    }
  }

  private async kept(
    url: string,
    issuer: X509Certificate,
  ): Promise<ReadonlySet<string> | undefined> {
    try {
      return revokedSerials(await readFile(this.file(url)), issuer);
    } catch {
      return this.lists.get(url)?.serials;
    }
  }

  private async keep(url: string, der: Buffer): Promise<void> {
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await writeFile(`${this.file(url)}.new`, der);
      await rename(`${this.file(url)}.new`, this.file(url));
    } catch (error) {
      this.log.warn({ folder: this.folder, err: error }, 'revocation list could not be kept');
    }
  }

  private file(url: string): string {
    return join(this.folder, `${createHash('sha256').update(url).digest('hex')}.crl`);
  }
}

async function bounded(reply: Response): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of reply.body ?? []) {
    bytes += part.length;
    if (bytes > maxListBytes) throw new Error('revocation list is too large');
    parts.push(Buffer.from(part));
  }
  return Buffer.concat(parts);
}
