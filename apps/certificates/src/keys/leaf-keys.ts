import { problems } from '@glacis/http';
import { generateKeys, type KeyAlgorithm, type KeyPair } from '@glacis/pki';
import { caUnavailable } from '../problems.js';

type Generate = (algorithm: KeyAlgorithm) => Promise<KeyPair>;

/** How long a tenant waits before it asks again: about the time of one RSA key. */
const retryMs = 1_000;

/**
 * Makes the keys of leaves. An RSA key takes a processor for seconds, so those that are asked for at once have a bound,
 * and one tenant takes half of it at most.
 */
export class LeafKeys {
  private readonly underWay = new Map<string, number>();
  private total = 0;

  constructor(
    private readonly maxRsa: number,
    private readonly generate: Generate = generateKeys,
  ) {}

  /** @throws Problem `rate-limited` when the tenant, `ca-unavailable` when everybody together asks for too many */
  async make(tenant: string, algorithm: KeyAlgorithm): Promise<KeyPair> {
    if (!algorithm.startsWith('RSA')) return this.generate(algorithm);
    const ofTenant = this.underWay.get(tenant) ?? 0;
    if (ofTenant >= Math.ceil(this.maxRsa / 2)) throw problems.rateLimited(retryMs);
    if (this.total >= this.maxRsa) throw caUnavailable('too many RSA keys are being made');
    this.count(tenant, 1);
    try {
      return await this.generate(algorithm);
    } finally {
      this.count(tenant, -1);
    }
  }

  private count(tenant: string, change: number): void {
    this.total += change;
    const left = (this.underWay.get(tenant) ?? 0) + change;
    if (left === 0) this.underWay.delete(tenant);
    else this.underWay.set(tenant, left);
  }
}
