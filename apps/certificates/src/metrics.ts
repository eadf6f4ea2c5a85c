import { Metrics } from '@glacis/observability';
import { Inject, Injectable } from '@nestjs/common';

/** What the service counts (`certificates.md` 11). */
@Injectable()
export class CertificatesMetrics {
  readonly issued;
  readonly revoked;
  readonly namesRefused;
  readonly downloadTokens;
  readonly enrolments;
  readonly ocspRequests;
  readonly crlBuild;
  readonly expiring;

  constructor(@Inject(Metrics) private readonly metrics: Metrics) {
    this.issued = metrics.counter<'source' | 'algorithm'>({
      name: 'glacis_certs_issued_total',
      help: 'Certificates issued, renewals among them.',
      labels: ['source', 'algorithm'],
    });
    this.revoked = metrics.counter<'reason'>({
      name: 'glacis_certs_revoked_total',
      help: 'Certificates revoked, by reason.',
      labels: ['reason'],
    });
    this.namesRefused = metrics.counter<'reason'>({
      name: 'glacis_certs_names_refused_total',
      help: 'Requests refused because of a name.',
      labels: ['reason'],
    });
    this.downloadTokens = metrics.counter<'result'>({
      name: 'glacis_certs_download_tokens_total',
      help: 'Download tokens issued, used and refused.',
      labels: ['result'],
    });
    this.enrolments = metrics.counter<'result'>({
      name: 'glacis_certs_enrolments_total',
      help: 'Enrolments and renewals by hosts themselves, by result or the problem they met.',
      labels: ['result'],
    });
    this.ocspRequests = metrics.counter<'status' | 'cached'>({
      name: 'glacis_certs_ocsp_requests_total',
      help: 'OCSP answers by status, and whether the signed bytes were at hand.',
      labels: ['status', 'cached'],
    });
    this.crlBuild = metrics.histogram<'kind'>({
      name: 'glacis_certs_crl_build_seconds',
      help: 'Time to join and sign a CRL.',
      labels: ['kind'],
    });
    this.expiring = metrics.gauge<'days'>({
      name: 'glacis_certs_expiring',
      help: 'Certificates without a used successor that end within so many days.',
      labels: ['days'],
    });
  }

  /** Seconds until the end of each CA certificate, read at each scrape. */
  observeCas(remaining: () => Iterable<{ issuer: string; seconds: number }>): void {
    this.metrics.gauge<'issuer'>({
      name: 'glacis_certs_ca_not_after_seconds',
      help: 'Seconds until the CA certificate ends.',
      labels: ['issuer'],
      collect: (gauge) => {
        gauge.reset();
        for (const { issuer, seconds } of remaining()) gauge.set({ issuer }, seconds);
      },
    });
  }
}
