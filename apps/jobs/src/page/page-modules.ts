import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';

const root = fileURLToPath(new URL('../../../../libs/shares/dist/', import.meta.url));

/**
 * The modules of `@glacis/shares` as a browser loads them: they import one another by path and nothing else, so what runs
 * in the page is what Node runs. Read once; no request ever names a file.
 */
@Injectable()
export class PageModules {
  private readonly texts = new Map(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.js'))
      .map((name) => [name.replaceAll('\\', '/'), readFileSync(join(root, name), 'utf8')]),
  );

  /** @param name such as `page/main.js` */
  find(name: string): string | undefined {
    return this.texts.get(name);
  }
}
