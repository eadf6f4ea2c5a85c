import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Loop } from '@glacis/runtime';
import { experimental, Metadata, status } from '@grpc/grpc-js';

/** Milliseconds after which names are looked up again, as replicas come and go. A connection that fails has it done at once. */
const refreshMs = 30_000;
/** The least between two lookups, as each failed connection asks for one. */
const leastMs = 1_000;

const scheme = 'glacis-list';

/** The target of a channel to every replica behind a comma-separated list of `host:port`. */
export const targetOf = (addresses: string): string => `${scheme}:${addresses}`;

/** The places of a comma-separated list of `host:port`; null when one of them is none. */
export function placesOf(addresses: string): { host: string; port: number }[] | null {
  const places = addresses.split(',').map((text) => experimental.splitHostPort(text.trim()));
  const whole = places.flatMap((place) =>
    place?.port === undefined || place.host === '' ? [] : [{ host: place.host, port: place.port }],
  );
  return whole.length === places.length ? whole : null;
}

/** Resolves such a list: each address of each name is one endpoint. What cannot be looked up is left out. */
class AddressList implements experimental.Resolver {
  private readonly loop: Loop;
  private lookedUpAt = -leastMs;
  private destroyed = false;

  /** Part of a URL that grpc-js makes for each connection, whatever the address: one place, as a list is no host. */
  static getDefaultAuthority(target: experimental.GrpcUri): string {
    return target.path.split(',')[0]?.trim() ?? '';
  }

  constructor(
    private readonly target: experimental.GrpcUri,
    private readonly listener: experimental.ResolverListener,
  ) {
    const name = `addresses of ${target.path}`;
    const run = (signal: AbortSignal): Promise<void> => this.resolve(signal);
    this.loop = new Loop({ name, intervalMs: refreshMs, run, onError: () => undefined });
  }

  updateResolution(): void {
    this.destroyed = false;
    this.loop.start();
    this.loop.wake();
  }

  destroy(): void {
    this.destroyed = true;
    void this.loop.stop();
  }

  private async resolve(signal: AbortSignal): Promise<void> {
    const waitMs = this.lookedUpAt + leastMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal, ref: false });
    this.lookedUpAt = performance.now();
    const places = placesOf(this.target.path) ?? [];
    const found = await Promise.all(places.map(endpointsOf));
    if (this.destroyed) return;
    const endpoints = found.flat();
    const outcome: experimental.StatusOr<experimental.Endpoint[]> =
      endpoints.length > 0
        ? experimental.statusOrFromValue(endpoints)
        : experimental.statusOrFromError({
            code: status.UNAVAILABLE,
            details: `no address of ${this.target.path} is known`,
            metadata: new Metadata(),
          });
    this.listener(outcome, {}, null, '');
  }
}

async function endpointsOf({
  host,
  port,
}: {
  host: string;
  port: number;
}): Promise<experimental.Endpoint[]> {
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => ({ addresses: [{ host: address, port }] }));
}

experimental.registerResolver(scheme, AddressList);
