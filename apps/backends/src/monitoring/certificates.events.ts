import type { CloudEvent } from '@glacis/contracts';
import { OnBroadcast } from '@glacis/events';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { CertificateCache } from '../streams/certificate-cache.js';
import { Credentials } from './credentials.js';
import { Revocations } from './revocations.js';

/** What `certificates` tells of its certificates: every replica acts on it for the streams that it holds. */
@Controller()
export class CertificatesEvents {
  constructor(
    @Inject(Revocations) private readonly revocations: Revocations,
    @Inject(CertificateCache) private readonly cache: CertificateCache,
    @Inject(Credentials) private readonly credentials: Credentials,
  ) {}

  @OnBroadcast('backends', 'certificate.issued')
  issued(@Payload() { data }: CloudEvent<'certificate.issued'>): void {
    this.cache.drop(data.serial_number);
  }

  @OnBroadcast('backends', 'certificate.renewed')
  renewed(@Payload() { data }: CloudEvent<'certificate.renewed'>): void {
    this.cache.drop(data.serial_number);
    this.cache.drop(data.replaces);
  }

  @OnBroadcast('backends', 'certificate.revoked')
  revoked(@Payload() { data }: CloudEvent<'certificate.revoked'>): void {
    this.cache.drop(data.serial_number);
    this.revocations.serialRevoked(data.serial_number, new Date(data.revoked_at));
  }

  @OnBroadcast('backends', 'issuer.revoked')
  issuerRevoked(@Payload() { data }: CloudEvent<'issuer.revoked'>): void {
    this.cache.clear();
    this.revocations.issuerRevoked(data.issuer_id, new Date(data.revoked_at));
    this.credentials.checkSoon();
  }
}
