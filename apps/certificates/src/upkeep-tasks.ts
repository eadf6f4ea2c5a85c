import { markLeavesOfRevoked } from './authority/leaves-of-revoked.js';
import { purge } from './certificates/purge.js';
import type { Services, Surroundings } from './compose.js';
import type { UpkeepTask } from './upkeep.js';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

const task = (name: string, everyMs: number, run: () => Promise<void>): UpkeepTask => ({
  name,
  everyMs,
  run,
});

/** What the service does by itself, and how often. */
export function upkeepTasks(
  { store, clock, settings }: Surroundings,
  made: Omit<Services, 'upkeep'>,
): UpkeepTask[] {
  const { safe, authority, rotation, responders, shards, tokenKeys } = made;
  const { internalPort, estPort, expiring } = made;
  return [
    // Often, as no other service takes our calls under an issuer that was revoked.
    task('internal port', second, () => internalPort.refresh()),
    task('est port', second, () => estPort.refresh()),
    task('issuers', 5 * second, () => authority.refresh()),
    task('rotation', hour, () => rotation.check()),
    task('leaves of revoked issuers', minute, () => markLeavesOfRevoked(store, clock)),
    task('ocsp responders', hour, () => responders.refresh(authority.cas)),
    task('crl shards', 10 * second, () => shards.refresh(authority.cas)),
    task('expiring certificates', 5 * minute, () => expiring.tell()),
    task('download token keys', minute, () => tokenKeys.refresh()),
    task('erasing of keys', 10 * second, () => safe.eraseDue()),
    task('rewrapping of keys', minute, () => safe.rewrapOld()),
    task('purge', 10 * minute, () => purge(store, clock.now(), settings.statusRetention)),
  ];
}
