import { isIP } from 'node:net';
import { status } from '@grpc/grpc-js';
import type { CertificatesRpc } from '@glacis/contracts';
import { bareCsr, generateKeys, privateKeyPem } from '@glacis/pki';
import type { Clock } from '@glacis/runtime';
import { RpcError } from '../rpc-error.js';
import type { TlsCredentials } from '../tls/mutual-tls.js';
import { unavailable } from './rpc-status.js';

export interface ServiceCertificateOptions {
  /** The service's name: the last part of the URI in its certificate. */
  service: string;
  /** Host names and IP addresses under which it is dialled; all of them stand in the certificate. */
  names: readonly string[];
  certificates: Pick<CertificatesRpc, 'issueService' | 'trustBundle'>;
  clock: Clock;
}

/**
 * A service's own certificate, as a server and towards other services, and the CAs that its peers' certificates must
 * chain to; fetched again as they change.
 */
export class ServiceCertificate {
  private current: TlsCredentials | undefined;
  private renewAt = 0;

  constructor(private readonly options: ServiceCertificateOptions) {}

  /**
   * The same object until there are new ones.
   * @throws {Error} before the first `refresh` has succeeded
   */
  credentials(): TlsCredentials {
    if (!this.current) throw new Error('no server certificate yet');
    return this.current;
  }

  /**
   * Takes the CAs when they have changed, else a new certificate when ours is due: at two thirds of its life, and after
   * a change of the CAs, as the one that signed it may have fallen. True when there are new credentials: call again.
   * The CAs come alone, so that one that has fallen is trusted no longer while none signs for us.
   */
  async refresh(): Promise<boolean> {
    if (!this.current) return this.take(await this.issue());
    const ca = await this.trustedCas();
    if (ca !== undefined && ca !== this.current.ca) {
      this.renewAt = 0;
      return this.take({ ca });
    }
    if (ca !== undefined && this.options.clock.now().getTime() < this.renewAt) return false;
    const { key, cert, ca: issuedWith } = await this.issue();
    return this.take({ key, cert, ca: ca ?? issuedWith });
  }

  private take(changed: Partial<TlsCredentials>): true {
    this.current = { key: '', cert: '', ca: '', ...this.current, ...changed };
    return true;
  }

  /** Undefined: our own certificate does not count any more. */
  private async trustedCas(): Promise<string | undefined> {
    const enough = new AbortController();
    try {
      for await (const { caPem } of this.options.certificates.trustBundle({}, enough.signal)) {
        return caPem;
      }
      throw unavailable('certificates');
    } catch (error) {
      if (error instanceof RpcError && error.code === status.UNAUTHENTICATED) return undefined;
      throw error;
    } finally {
      enough.abort();
    }
  }

  private async issue(): Promise<TlsCredentials> {
    const { service, names, certificates, clock } = this.options;
    const { privateKey } = await generateKeys('ECDSA-P256');
    const issued = await certificates.issueService({
      csr: bareCsr(privateKey),
      service,
      dnsNames: names.filter((name) => isIP(name) === 0),
      ipAddresses: names.filter((name) => isIP(name) !== 0),
    });
    const now = clock.now().getTime();
    this.renewAt = now + ((issued.notAfter.getTime() - now) * 2) / 3;
    return { key: privateKeyPem(privateKey), cert: issued.chainPem, ca: issued.caPem };
  }
}
