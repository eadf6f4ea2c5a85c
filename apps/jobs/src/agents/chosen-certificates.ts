import {
  PartyCertificates,
  type PartyCertificate,
  type PartyCertificateOrder,
  type PartyEntity,
} from './party-certificates.js';

/** The issuer that settings and the services of this process lead to; chosen late, as those start in any order. */
export class ChosenCertificates extends PartyCertificates {
  constructor(private readonly issuer: () => PartyCertificates) {
    super();
  }

  get localOnly(): boolean {
    return this.issuer().localOnly;
  }

  issue(order: PartyCertificateOrder): Promise<PartyCertificate> {
    return this.issuer().issue(order);
  }

  revoke(party: PartyEntity): Promise<void> {
    return this.issuer().revoke(party);
  }
}
