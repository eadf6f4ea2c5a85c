import { hostname } from 'node:os';
import type { Peers } from '@glacis/host/bare';
import { EventRecorder, LeaderElector, type CaBundles, type Term } from '@glacis/kube';
import { newId } from '@glacis/runtime';
import type { Basis } from './basis.js';
import type { GraphCluster } from './graphs/cluster.js';
import { serveGraphs } from './graphs/serve.js';
import type { Served, ServedOptions } from './served.js';
import type { OperatorSettings } from './settings.js';
import { serveTeeManagers } from './tee-managers/serve.js';

const leaseName = 'glacis-operator';

export interface OperatorRoleOptions {
  basis: Basis;
  settings: OperatorSettings;
  /** Absent without a join token. */
  peers?: Peers;
  /** Absent: graphs are not served. */
  cluster?: GraphCluster;
  /** Written by the leader. Absent: the registrations of webhooks are somebody else's. */
  bundles?: CaBundles;
}

/** Starts a candidate: while it leads it reconciles what is served. @returns what stops it */
export function startOperatorRole(options: OperatorRoleOptions): () => Promise<void> {
  const { basis, settings, bundles } = options;
  const { server, logger, metrics } = basis;
  const identity = `${hostname()}_${newId()}`;
  const recorder = new EventRecorder({
    server,
    controller: 'glacis.dev/operator',
    instance: identity,
    logger,
    metrics,
  });
  const served = servedBy({ ...basis, settings, recorder }, options);
  const lead = async (term: Term): Promise<void> => {
    await Promise.all([...served.map((one) => one.lead(term)), bundles?.run(term)]);
  };
  const lease = { namespace: settings.own.namespace ?? server.namespace, name: leaseName };
  const elector = new LeaderElector({ server, lease, identity, lead, logger, metrics });
  for (const one of served) one.start();
  recorder.start();
  elector.start();
  return async () => {
    await elector.stop();
    await recorder.stop();
    await Promise.all(served.map((one) => one.stop()));
  };
}

function servedBy(options: ServedOptions, { peers, cluster }: OperatorRoleOptions): Served[] {
  const { teeManagers } = options.settings;
  return [
    ...(teeManagers && peers ? [serveTeeManagers(options, teeManagers, peers)] : []),
    ...(cluster ? [serveGraphs(options, cluster)] : []),
  ];
}
