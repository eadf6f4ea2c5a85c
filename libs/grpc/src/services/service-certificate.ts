import { isIP } from 'node:net';
import type { CertificatesRpc } from '@glacis/contracts';
import { bareCsr, generateKeys, privateKeyPem } from '@glacis/pki';
import type { Clock } from '@glacis/runtime';
import type { TlsCredentials } from '../tls/mutual-tls.js';

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
  private bundleVersion: number | undefined;

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
    const { version, caPem } = await this.options.certificates.trustBundle({});
    if (this.current && version !== this.bundleVersion) {
      this.current = { ...this.current, ca: caPem };
      this.bundleVersion = version;
      this.renewAt = 0;
      return true;
    }
    if (this.options.clock.now().getTime() < this.renewAt) return false;
    this.current = { ...(await this.issue()), ca: caPem };
    this.bundleVersion = version;
    return true;
  }

  private async issue(): Promise<Pick<TlsCredentials, 'key' | 'cert'>> {
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
    return { key: privateKeyPem(privateKey), cert: issued.chainPem };
  }
}
