import { OnBroadcast } from '@glacis/events';
import { Controller } from '@nestjs/common';
import { Watches } from './watches.js';

/** Wakes the watchers of this replica when any replica has revoked. */
@Controller()
export class WatchesEvents {
  constructor(private readonly watches: Watches) {}

  @OnBroadcast('certificates', 'certificate.revoked')
  revoked(): void {
    this.watches.ring();
  }

  @OnBroadcast('certificates', 'issuer.revoked')
  issuerRevoked(): void {
    this.watches.ring();
  }
}
