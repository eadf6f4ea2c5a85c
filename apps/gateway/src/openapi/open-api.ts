import { openApiDocument, problems } from '@glacis/http';
import { Injectable, type INestApplication } from '@nestjs/common';
import { version } from '../version.js';

const about = {
  title: 'Glacis',
  description: 'Control plane for confidential computing: every route behind the door.',
  version,
};

/** The OpenAPI document of everything that this process serves, made at the first request for it. */
@Injectable()
export class OpenApi {
  private app: INestApplication | undefined;
  private text: Promise<string> | undefined;

  /** Names the application to describe; the program calls it once, before it listens. */
  attach(app: INestApplication): void {
    this.app = app;
  }

  /** @throws {Problem} `unavailable` (503) until an application is attached */
  document(): Promise<string> {
    this.text ??= this.make().catch((error: unknown) => {
      this.text = undefined;
      throw error;
    });
    return this.text;
  }

  private async make(): Promise<string> {
    if (this.app === undefined) throw problems.unavailable('the routes are not known yet');
    return `${JSON.stringify(await openApiDocument(this.app, about))}\n`;
  }
}
