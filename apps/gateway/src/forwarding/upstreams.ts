import { Health, LOGGER, Metrics, type Logger } from '@glacis/observability';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../settings.js';
import type { ServiceName } from './service-routes.js';
import type { ReplicaLimits } from './replica.js';
import { Upstream } from './upstream.js';
import { upstreamRoots } from './upstream-roots.js';

/** Milliseconds for the question whether a service is ready, less than a health check may take. */
const healthMs = 1_500;

/** The services that run apart from the door. None of them are, where their modules are mounted. */
@Injectable()
export class Upstreams implements OnApplicationShutdown, OnModuleInit {
  readonly all: ReadonlyMap<ServiceName, Upstream>;

  constructor(
    @Inject(GATEWAY_SETTINGS) settings: GatewaySettings,
    @Inject(LOGGER) logger: Logger,
    @Inject(Health) health: Health,
    @Inject(Metrics) metrics: Metrics,
  ) {
    const urls: Record<ServiceName, string[]> = {
      backends: settings.backendsUrls,
      certificates: settings.certificatesUrls,
      'graph-apps': settings.graphAppsUrls,
      jobs: settings.jobsUrls,
    };
    const onError = (error: unknown): void =>
      logger.warn({ err: error }, 'addresses of a service not found');
    const named = Object.entries(urls).filter(([, list]) => list.length > 0);
    const limits = limitsOf(settings);
    const roots = upstreamRoots(settings.upstreamCaFile);
    this.all = new Map(
      named.map(([service, list]) => {
        const resolveMs = settings.resolveInterval;
        const upstream = new Upstream({ service, urls: list, limits, roots, resolveMs, onError });
        return [service as ServiceName, upstream];
      }),
    );
    for (const upstream of this.all.values()) report(health, upstream);
    if (this.all.size > 0) count(metrics, [...this.all.values()]);
  }

  async onModuleInit(): Promise<void> {
    await Promise.all([...this.all.values()].map((upstream) => upstream.start()));
  }

  /** After the last request has been answered. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.all.values()].map((upstream) => upstream.stop()));
  }
}

function limitsOf(settings: GatewaySettings): ReplicaLimits {
  return {
    connections: settings.upstreamConnections,
    queue: settings.upstreamQueue,
    connectTimeout: settings.connectTimeout,
    replyTimeout: settings.replyTimeout,
    idleTimeout: settings.replyIdleTimeout,
  };
}

/** The door serves the other services while one is away, so it stays ready itself. */
function report(health: Health, upstream: Upstream): void {
  const check = async (): Promise<void> => void (await upstream.ask('/health/ready', healthMs));
  health.add(upstream.service, check, { essential: false });
}

function count(metrics: Metrics, upstreams: readonly Upstream[]): void {
  metrics.gauge({
    name: 'glacis_gateway_upstream_requests',
    help: 'Requests that wait for a replica or are under way at it.',
    labels: ['service', 'replica'] as const,
    collect: (gauge) => {
      gauge.reset();
      for (const { service, replicas } of upstreams) {
        for (const { address, active } of replicas)
          gauge.inc({ service, replica: address }, active);
      }
    },
  });
  metrics.gauge({
    name: 'glacis_gateway_upstream_broken',
    help: 'Replicas that get no requests, as the last ones failed.',
    labels: ['service'] as const,
    collect: (gauge) => {
      for (const { service, replicas } of upstreams) {
        gauge.set({ service }, replicas.filter(({ breaker }) => breaker.isOpen).length);
      }
    },
  });
}
