import type { Clock } from '@glacis/runtime';
import type { OcspReply } from './ocsp.service.js';

/** The HTTP headers of an OCSP answer (RFC 9919; `certificates.md` 6). */
export class OcspHeaders {
  constructor(
    private readonly maxAgeMs: number,
    private readonly clock: Clock,
  ) {}

  of(reply: OcspReply, verb: 'GET' | 'POST'): Record<string, string> {
    const type = { 'content-type': 'application/ocsp-response' };
    if (reply.kind === 'error') return { ...type, 'cache-control': 'no-store' };
    if (reply.kind === 'personal' || verb === 'POST') return type;
    return {
      ...type,
      date: this.clock.now().toUTCString(),
      'last-modified': reply.thisUpdate.toUTCString(),
      expires: reply.nextUpdate.toUTCString(),
      etag: reply.etag,
      'cache-control': `public, max-age=${this.maxAge(reply)}, no-transform, must-revalidate`,
    };
  }

  private maxAge(reply: OcspReply): number {
    const left = reply.nextUpdate.getTime() - this.clock.now().getTime();
    return Math.max(0, Math.floor(Math.min(this.maxAgeMs, left) / 1000));
  }
}
