import { isIP } from 'node:net';
import type { CertificatesRpc } from '@glacis/contracts';
import { RpcDirectory, type TlsCredentials } from '@glacis/grpc';
import { generateKeys, privateKeyPem } from '@glacis/pki';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { BackendsSettings } from '../settings.js';
import { SETTINGS } from '../tokens.js';
import { serviceCsr } from './service-csr.js';

/** Our own certificate and the CAs that managers' certificates must chain to; fetched again as they change. */
@Injectable()
export class ServerCertificate {
  private current: TlsCredentials | undefined;
  private renewAt = 0;
  private bundleVersion: number | undefined;

  private readonly certificates: CertificatesRpc;

  constructor(
    @Inject(RpcDirectory) directory: RpcDirectory,
    @Inject(SETTINGS) private readonly settings: BackendsSettings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.certificates = directory.client('certificates');
  }

  /** @throws {Error} before the first `refresh` has succeeded */
  credentials(): TlsCredentials {
    if (!this.current) throw new Error('no server certificate yet');
    return this.current;
  }

  get ready(): boolean {
    return this.current !== undefined;
  }

  /**
   * Takes a new certificate at two thirds of the life of the old one, and whenever the CAs have changed, as the one
   * that signed ours may have fallen. True when there are new credentials.
   */
  async refresh(): Promise<boolean> {
    const trust = await this.certificates.trustBundle({});
    const due = this.clock.now().getTime() >= this.renewAt;
    if (!due && trust.version === this.bundleVersion) return false;
    this.current = { ...(await this.issue()), ca: trust.caPem };
    this.bundleVersion = trust.version;
    return true;
  }

  private async issue(): Promise<Pick<TlsCredentials, 'key' | 'cert'>> {
    const { privateKey } = await generateKeys('ECDSA-P256');
    const names = this.settings.publicNames;
    const issued = await this.certificates.issueService({
      csr: serviceCsr(privateKey),
      service: 'backends',
      dnsNames: names.filter((name) => isIP(name) === 0),
      ipAddresses: names.filter((name) => isIP(name) !== 0),
    });
    const now = this.clock.now().getTime();
    this.renewAt = now + ((issued.notAfter.getTime() - now) * 2) / 3;
    return { key: privateKeyPem(privateKey), cert: issued.chainPem };
  }
}
