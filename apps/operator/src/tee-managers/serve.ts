import type { Peers } from '@glacis/host/bare';
import { systemClock, waitFor } from '@glacis/runtime';
import type { Served, ServedOptions } from '../served.js';
import type { TeeManagerSettings } from '../settings.js';
import { GatewayCredentials } from '../suite/credentials.js';
import { Door } from '../suite/door.js';
import { ClusterCache } from './cache.js';
import { Leadership } from './leadership.js';
import { observePhases } from './observe.js';

/** TeeManagers, which are registered and certified with the suite. */
export function serveTeeManagers(
  options: ServedOptions,
  settings: TeeManagerSettings,
  peers: Peers,
): Served {
  const { server, logger, metrics, health } = options;
  const { namespaces } = settings;
  const cache = new ClusterCache({ server, namespaces, logger, metrics });
  const { directory } = peers;
  const credentials = new GatewayCredentials(directory.client('gateway'));
  const door = new Door({ url: settings.doorUrl, credentials, metrics });
  observePhases(metrics, cache);
  health.add('certificate', () => peers.check());
  // Others do not wait for an operator that waits for the suite.
  health.add('suite', () => door.check(), { essential: false });
  return {
    start: () => cache.start(health),
    stop: () => cache.stop(),
    lead: async (term) => {
      await mayCall(peers, term.signal);
      const leadership = new Leadership({
        ...options,
        cache,
        door,
        backends: directory.client('backends'),
        settings: { ...settings, defaultTenant: settings.tenant },
        clock: systemClock,
      });
      await leadership.run(term);
    },
  };
}

/** Milliseconds for the first certificate. Without it, work that waits for it says so in each TeeManager. */
const certificateMs = 10_000;

/** A moment after the start there is a certificate of our own, and work that begins earlier would fail. */
async function mayCall(peers: Peers, signal: AbortSignal): Promise<void> {
  const certified = (): boolean => {
    if (!signal.aborted) peers.check();
    return true;
  };
  await waitFor(certified, { deadlineMs: certificateMs, everyMs: 50 }).catch(() => undefined);
}
