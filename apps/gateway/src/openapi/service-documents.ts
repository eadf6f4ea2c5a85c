import { LOGGER, type Logger } from '@glacis/observability';
import { Inject, Injectable } from '@nestjs/common';
import { isPassedOn, serviceRoutes, type ServiceName } from '../forwarding/service-routes.js';
import type { Upstream } from '../forwarding/upstream.js';
import { Upstreams } from '../forwarding/upstreams.js';
import {
  openApiDocumentForm,
  type OpenApiDocument,
  type ServiceDocument,
} from './merge-documents.js';

/** Milliseconds after which a service is asked again. */
const refreshMs = 30_000;

/** Milliseconds for a document, which a service makes when it is asked for the first time. */
const answerMs = 10_000;

/** The OpenAPI documents of the services that run apart. One that is away keeps the document that was last seen. */
@Injectable()
export class ServiceDocuments {
  private readonly known = new Map<ServiceName, OpenApiDocument>();
  private askedAt = Number.NEGATIVE_INFINITY;
  private asking: Promise<void> | undefined;

  constructor(
    @Inject(Upstreams) private readonly upstreams: Upstreams,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async all(): Promise<ServiceDocument[]> {
    const complete = this.known.size === this.upstreams.all.size;
    if (!complete || performance.now() - this.askedAt >= refreshMs) await this.askAll();
    return [...this.upstreams.all.keys()].map((service) => ({
      service,
      document: this.known.get(service) ?? null,
      isPassedOn: (path) => isPassedOn(serviceRoutes[service], path),
    }));
  }

  /** One round of questions at a time, shared by all who wait for it. */
  private askAll(): Promise<void> {
    this.asking ??= Promise.all(
      [...this.upstreams.all].map(([service, upstream]) => this.ask(service, upstream)),
    )
      .then(() => void (this.askedAt = performance.now()))
      .finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async ask(service: ServiceName, upstream: Upstream): Promise<void> {
    try {
      const document: unknown = JSON.parse(await upstream.ask('/openapi.json', answerMs));
      this.known.set(service, openApiDocumentForm.parse(document));
    } catch (error) {
      this.logger.warn({ err: error, service }, 'document of a service not read');
    }
  }
}
