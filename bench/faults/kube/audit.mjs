// What the API server's audit log says of the two operators.

const writing = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/**
 * Goes through the log in the order in which the API server has taken the calls. Whoever last wrote the Lease leads; who
 * writes anything else meanwhile should have been stopped. Kubernetes Events are for people and not counted.
 * @returns the writes, those of somebody who did not lead, and the first writes of the Lease by another than before
 */
export function writesOf(events, users, lease) {
  const found = { writes: [], fenced: [], terms: [] };
  let leader;
  for (const call of calls(events, users)) {
    if (takes(call, lease)) {
      if (leader !== call.user) found.terms.push(call);
      leader = call.user;
    } else if (!['leases', 'events'].includes(call.resource)) {
      found.writes.push(call);
      if (leader !== call.user) found.fenced.push(call);
    }
  }
  return found;
}

function calls(events, users) {
  return events
    .filter(({ stage, verb }) => stage === 'ResponseComplete' && writing.has(verb))
    .map((event) => ({
      verb: event.verb,
      resource: event.objectRef?.resource,
      name: event.objectRef?.name,
      user: event.user.username,
      code: event.responseStatus?.code,
      at: event.requestReceivedTimestamp,
    }))
    .filter(({ user }) => users.includes(user))
    .toSorted((a, b) => (a.at < b.at ? -1 : 1));
}

/** Who makes the Lease does not hold it yet. */
const takes = ({ verb, resource, name, code }, lease) =>
  verb !== 'create' && resource === 'leases' && name === lease && code < 300;
