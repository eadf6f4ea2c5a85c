import type { Logger, Metrics } from '@glacis/observability';
import { Loop, systemClock, type Clock } from '@glacis/runtime';
import type { ApiServer, Fence } from '../api/api-server.js';
import { ResourceClient } from '../api/resource-client.js';
import { builtIns, type ResourceType } from '../api/resource-type.js';
import {
  Controller,
  type ReconcileContext,
  type ReconcileResult,
} from '../controller/controller.js';
import { trigger } from '../controller/trigger.js';
import { Informer } from '../informer/informer.js';
import { trusts, withBundle, type Registration } from './registrations.js';
import { certificatesIn, type CredentialsSource } from './serving-credentials.js';

/** A registration of webhooks, by kind and name. */
export interface RegistrationRef {
  kind: 'validatingWebhooks' | 'mutatingWebhooks' | 'customResourceDefinitions';
  name: string;
}

export interface CaBundlesOptions {
  server: ApiServer;
  source: CredentialsSource;
  /** Each webhook in them gets the bundle. Those that are not there yet get it when they come. */
  registrations: readonly RegistrationRef[];
  /** Owner of the field in server-side apply. */
  fieldManager: string;
  /**
   * Milliseconds for which roots stay in the bundle that the source names no more: other replicas may read their files
   * later, and serve the old certificate meanwhile. Default 600,000.
   */
  overlapMs?: number;
  logger: Logger;
  metrics: Metrics;
  clock?: Clock;
}

interface Watched {
  type: ResourceType<Registration>;
  name: string;
  informer: Informer<Registration>;
}

/** Milliseconds between two looks at the source. */
const lookMs = 2_000;

/**
 * Keeps the `caBundle` of registrations such that API servers trust the certificates of the webhook server, whoever
 * overwrites it. All replicas watch, so that each knows when its next certificate is trusted; the leader writes. Needs get,
 * list, watch and patch of just these objects.
 */
export class CaBundles {
  private readonly watched: ReadonlyMap<string, Watched>;
  private readonly controller: Controller;
  private readonly looks: Loop;
  private readonly clock: Clock;
  /** Epoch milliseconds at which the source last named each root. */
  private readonly roots = new Map<string, number>();
  private hasSynced = false;

  constructor(private readonly options: CaBundlesOptions) {
    const { server, registrations, logger, metrics } = options;
    this.clock = options.clock ?? systemClock;
    const watched = registrations.map((ref) => [keyOf(ref), this.watching(ref)] as const);
    this.watched = new Map(watched);
    this.controller = new Controller({
      name: 'ca-bundles',
      triggers: watched.map(([key, { informer }]) => trigger(informer, () => [key])),
      reconcile: (key, context) => this.reconcile(key, context),
      server,
      logger,
      metrics,
    });
    this.looks = new Loop({
      name: 'ca bundles',
      intervalMs: lookMs,
      run: async () => this.look(),
      onError: (err) => logger.warn({ err }, 'the roots of the webhooks cannot be read'),
    });
  }

  start(): void {
    this.looks.start();
    const informers = [...this.watched.values()].map(({ informer }) => informer);
    for (const informer of informers) informer.start();
    void Promise.all(informers.map(({ synced }) => synced)).then(() => (this.hasSynced = true));
  }

  async stop(): Promise<void> {
    await this.looks.stop();
    await Promise.all([...this.watched.values()].map(({ informer }) => informer.stop()));
  }

  /** Writes until the term is over. */
  run(term: Fence): Promise<void> {
    return this.controller.run(term);
  }

  /** Whether all registrations, as the API server has them, trust these roots: `trusted` of a `WebhookServer`. */
  trust(ca: string | Buffer): boolean {
    const certificates = certificatesIn(ca);
    if (!this.hasSynced) return false;
    return [...this.watched.values()].every(({ informer, name }) => {
      const registration = informer.store.get(name);
      return registration === undefined || trusts(registration, certificates);
    });
  }

  /** For `Health`. @throws {Error} as informers do */
  check(): void {
    for (const { informer } of this.watched.values()) informer.check();
  }

  private watching({ kind, name }: RegistrationRef): Watched {
    const { server, logger, metrics } = this.options;
    const type = builtIns[kind] as ResourceType<Registration>;
    const informer = new Informer({
      name: `${type.plural}/${name}`,
      source: new ResourceClient(server, type),
      selection: { fieldSelector: `metadata.name=${name}` },
      logger,
      metrics,
    });
    return { type, name, informer };
  }

  private async reconcile(key: string, { server }: ReconcileContext): Promise<ReconcileResult> {
    const { type, name, informer } = this.watched.get(key) as Watched;
    const registration = informer.store.get(name);
    const change = registration && withBundle(registration, this.bundle());
    if (change) {
      const { fieldManager, logger } = this.options;
      await new ResourceClient(server, type).apply(change, { fieldManager });
      logger.info({ registration: key }, 'the CA bundle of webhooks was written');
    }
    return { requeueAfterMs: lookMs };
  }

  /** The same on every replica that has seen the same. */
  private bundle(): string {
    this.look();
    const pem = [...this.roots.keys()].toSorted().join('');
    return Buffer.from(pem).toString('base64');
  }

  private look(): void {
    const { source, overlapMs = 600_000 } = this.options;
    const named = certificatesIn(source.credentials().ca);
    if (named.length === 0) throw new Error('the source of the certificate names no CA');
    const now = this.clock.now().getTime();
    for (const root of named) this.roots.set(root, now);
    for (const [root, since] of this.roots) if (now - since > overlapMs) this.roots.delete(root);
  }
}

const keyOf = ({ kind, name }: RegistrationRef): string => `${builtIns[kind].plural}/${name}`;
