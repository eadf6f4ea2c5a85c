import {
  openApiDocument,
  problemCatalogue,
  problems,
  problemsMember,
  type ProblemDefinition,
} from '@glacis/http';
import { Inject, Injectable, type INestApplication } from '@nestjs/common';
import { version } from '../version.js';
import { mergeDocuments, openApiDocumentForm, type OpenApiDocument } from './merge-documents.js';
import { ServiceDocuments } from './service-documents.js';

const about = {
  title: 'Glacis',
  description: 'Control plane for confidential computing: every route behind the door.',
  version,
};

/** The OpenAPI document of everything behind the door, in this process and apart from it. */
@Injectable()
export class OpenApi {
  private app: INestApplication | undefined;
  private own: Promise<OpenApiDocument> | undefined;
  /** What was made last, and of which documents. */
  private text: { of: (OpenApiDocument | null)[]; text: string } | undefined;

  constructor(@Inject(ServiceDocuments) private readonly services: ServiceDocuments) {}

  /** Names the application to describe; the program calls it once, before it listens. */
  attach(app: INestApplication): void {
    this.app = app;
  }

  /** @throws {Problem} `unavailable` (503) until an application is attached */
  async document(): Promise<string> {
    this.own ??= this.describe().catch((error: unknown) => {
      this.own = undefined;
      throw error;
    });
    const [own, services] = [await this.own, await this.services.all()];
    const made = this.text;
    if (made && services.every(({ document }, i) => document === made.of[i])) return made.text;
    const text = `${JSON.stringify(mergeDocuments(own, services))}\n`;
    this.text = { of: services.map(({ document }) => document), text };
    return text;
  }

  /** Every kind of error that anything behind the door answers with. */
  async problems(): Promise<ProblemDefinition[]> {
    const here = openApiDocumentForm.parse({ paths: {}, [problemsMember]: problemCatalogue() });
    return mergeDocuments(here, await this.services.all())[problemsMember];
  }

  private async describe(): Promise<OpenApiDocument> {
    if (this.app === undefined) throw problems.unavailable('the routes are not known yet');
    return (await openApiDocument(this.app, about)) as unknown as OpenApiDocument;
  }
}
