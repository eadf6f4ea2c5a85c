import { OnBroadcast } from '@glacis/events';
import { Controller } from '@nestjs/common';
import { Authority } from './authority.js';

/** What one replica does to the CAs, all others take in at once; whoever misses it looks every few seconds. */
@Controller()
export class IssuersEvents {
  constructor(private readonly authority: Authority) {}

  @OnBroadcast('certificates', 'issuer.revoked')
  async revoked(): Promise<void> {
    await this.authority.refresh();
  }
}
