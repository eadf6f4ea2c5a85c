import { Health, type HealthReport } from '@glacis/observability';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Upstreams } from '../forwarding/upstreams.js';

/**
 * The services of this process, and those that run apart from it. One of this process has exactly one store of its own,
 * so the stores name them.
 */
@Injectable()
export class ServicesService {
  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(Health) private readonly health: Health,
    @Inject(Upstreams) private readonly upstreams: Upstreams,
  ) {}

  async list(): Promise<{ name: string; ready: boolean }[]> {
    const names = this.names();
    const report = await this.health.ready();
    return names.map((name) => {
      const others = names.filter((other) => other !== name);
      return { name, ready: isReady(report, others) };
    });
  }

  private names(): string[] {
    const stores = [...this.modules.values()].map(
      ({ providers }) => providers.get(Store)?.instance,
    );
    const here = stores.flatMap((store) => (store instanceof Store ? [store.service] : []));
    return [...here, ...this.upstreams.all.keys()].toSorted();
  }
}

/** A failing check whose first word is a service concerns that service alone; any other concerns all of them. */
export function isReady(report: HealthReport, others: readonly string[]): boolean {
  return Object.keys(report.error).every((check) =>
    others.includes(/^[\w-]*/.exec(check)?.[0] ?? ''),
  );
}
