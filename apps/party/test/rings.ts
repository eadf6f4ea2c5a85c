import type { PartyId } from '@glacis/mpc';
import type { ChannelTimes } from '../src/links/channel.js';
import type { Hello } from '../src/links/hello.js';
import { LinkListener } from '../src/links/listener.js';
import { Ring } from '../src/links/ring.js';
import { partyUri, testCa, type TestCa } from './identities.js';

export const helloOf = (party: PartyId): Hello => ({
  version: 1,
  job: 'a job',
  attempt: 1,
  party,
  parties: 3,
  plan_hash: 'sha256:plan',
  facts: 'sha256:facts',
  rows: [],
  wide: [],
  policies: [],
});

export interface RingsOptions {
  ca?: TestCa;
  hello?: (party: PartyId) => Hello;
  times?: ChannelTimes;
  connectMs?: number;
}

const parties = [0, 1, 2] as const;

/** Three parties of this process, each with its two links; how the opening ended for each. */
export async function openRings(options: RingsOptions = {}): Promise<PromiseSettledResult<Ring>[]> {
  const { ca = await testCa(), hello = helloOf, ...rest } = options;
  const identities = await Promise.all(parties.map((party) => ca.issue(partyUri(party))));
  const listeners = await Promise.all(
    identities.map((identity) => LinkListener.open(identity, '127.0.0.1', 0)),
  );
  const outcomes = await Promise.allSettled(
    parties.map((party) => {
      const next = (party + 1) % 3;
      return Ring.open({
        identity: identities[party]!,
        listener: listeners[party]!,
        hello: hello(party),
        next: { uri: partyUri(next), address: { host: '127.0.0.1', port: listeners[next]!.port } },
        previous: { uri: partyUri((party + 2) % 3) },
        ...rest,
      });
    }),
  );
  for (const listener of listeners) listener.close();
  return outcomes;
}

export async function rings(options: RingsOptions = {}): Promise<[Ring, Ring, Ring]> {
  const outcomes = await openRings(options);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }) as [Ring, Ring, Ring];
}
