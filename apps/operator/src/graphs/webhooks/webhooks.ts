import type { Peers } from '@glacis/host/bare';
import {
  credentialFiles,
  WebhookServer,
  type CaBundles,
  type CredentialsSource,
  type Hook,
} from '@glacis/kube';
import { waitFor } from '@glacis/runtime';
import type { Basis } from '../../basis.js';
import type { Command } from '../../command-line.js';
import type { OperatorSettings } from '../../settings.js';
import type { GraphCluster } from '../cluster.js';
import { conversion, podMutation, routeLabel, validation } from './hooks.js';
import { observeDenials, reportFaults } from './observe.js';
import { PodFacts } from './pod-facts.js';

export interface WebhooksOptions {
  command: Command;
  basis: Basis;
  settings: OperatorSettings;
  /** Of the role `validator`. */
  cluster?: GraphCluster;
  peers?: Peers;
  bundles?: CaBundles;
}

export interface Webhooks {
  port: number;
  stop(): Promise<void>;
}

/** Answers the reviews of the roles `validator` and `mutator`; undefined where the command names neither. */
export async function startWebhooks(options: WebhooksOptions): Promise<Webhooks | undefined> {
  const { command, basis, cluster, bundles } = options;
  const { roles, webhooks: listen } = command;
  const facts = roles.has('mutator') ? new PodFacts(basis) : undefined;
  const hooks: Record<string, Hook> = {
    ...(roles.has('validator') && cluster && validatorHooks(basis, cluster)),
    ...(facts && { '/mutate/pod': podMutation(facts), '/mutate/ingress': routeLabel }),
  };
  if (Object.keys(hooks).length === 0) return undefined;
  facts?.start(basis.health);
  const server = new WebhookServer({
    ...basis,
    ...listen,
    hooks,
    certificate: await certificateOf(options),
    ...(bundles && { trusted: (ca) => bundles.trust(ca) }),
  });
  await server.start();
  basis.health.add('webhooks', () => server.check());
  const stop = async (): Promise<void> => {
    await server.stop();
    await facts?.stop();
  };
  return { port: server.port, stop };
}

function validatorHooks(
  { logger, metrics }: Basis,
  { index, synced }: GraphCluster,
): Record<string, Hook> {
  const denied = observeDenials(metrics);
  const report = reportFaults(logger);
  return {
    '/validate': validation({ cluster: index, synced, report, denied }),
    '/conversion': conversion,
  };
}

/** Milliseconds for the first certificate of our own CA; then the start fails. */
const certificateMs = 60_000;

/** That of the files, else one of our own CA; undefined: plain HTTP. */
async function certificateOf({
  command,
  settings,
  peers,
}: WebhooksOptions): Promise<CredentialsSource | undefined> {
  const { tls } = command.webhooks;
  if (tls) return credentialFiles(tls);
  if (!peers || settings.own.webhookNames.length === 0) return undefined;
  await waitFor(() => peers.credentials(), {
    deadlineMs: certificateMs,
    everyMs: 100,
    what: 'a certificate of the webhooks',
  });
  return peers;
}
