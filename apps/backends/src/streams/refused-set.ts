import { Injectable } from '@nestjs/common';

/** Serials or issuer ids that may not connect any more; the oldest are forgotten above the bound. */
class BoundedSet {
  private readonly members = new Set<string>();

  constructor(private readonly max: number) {}

  add(member: string): void {
    this.members.add(member);
    if (this.members.size <= this.max) return;
    const oldest = this.members.values().next();
    if (!oldest.done) this.members.delete(oldest.value);
  }

  has(member: string): boolean {
    return this.members.has(member);
  }
}

/**
 * Local knowledge that refuses a client right after its handshake (`backends.md` 4.2 step 3). A serial that has
 * fallen out of it is still refused by its status when the stream is opened.
 */
@Injectable()
export class RefusedSet {
  private readonly serials = new BoundedSet(100_000);
  private readonly issuers = new BoundedSet(10_000);

  refuseSerial(serial: string): void {
    this.serials.add(serial);
  }

  refuseIssuer(issuerId: string): void {
    this.issuers.add(issuerId);
  }

  /** The issuer comes first, as no serial counts under a stolen CA key. */
  refuses(certificate: { serial: string; issuerId: string }): boolean {
    return this.issuers.has(certificate.issuerId) || this.serials.has(certificate.serial);
  }
}
