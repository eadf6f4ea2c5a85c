import type { PartyId } from '@glacis/mpc';
import type { Channel } from './channel.js';
import { LinkError } from './link-error.js';

/** What neighbours must agree on before shares move (jobs.md 11.10). */
export interface Hello {
  version: 1;
  job: string;
  attempt: number;
  party: PartyId;
  parties: number;
  /** Of the plan that this party compiled. */
  plan_hash: string;
  /** Digest of all else that the coordinator told of the job. */
  facts: string;
  /** By table of the plan, then by owner. */
  rows: readonly (readonly number[])[];
  /** Columns that came with `#hi`. */
  wide: readonly string[];
  /** Digests of the signed policies, in the order of the owners. */
  policies: readonly string[];
}

const members: readonly (keyof Hello)[] = [
  'version',
  'job',
  'attempt',
  'party',
  'parties',
  'plan_hash',
  'facts',
  'rows',
  'wide',
  'policies',
];

function parse(bytes: Buffer): Partial<Hello> {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/**
 * Says hello to a neighbour and compares.
 * @throws {LinkError} `hello_mismatch`, naming the members that differ
 */
export async function sayHello(channel: Channel, own: Hello, neighbour: PartyId): Promise<void> {
  const theirs = parse(await channel.exchange('hello', Buffer.from(JSON.stringify(own))));
  const expected: Hello = { ...own, party: neighbour };
  const differing = members.filter(
    (member) => JSON.stringify(theirs[member]) !== JSON.stringify(expected[member]),
  );
  if (differing.length > 0)
    throw new LinkError(
      'protocol',
      'hello_mismatch',
      `party ${neighbour} differs in ${differing.join(', ')}`,
    );
}
