import { readFileSync } from 'node:fs';
import type { About } from '@glacis/http';
import { newId } from '@glacis/runtime';

/** What `/health` tells of this build. Packagers set `GLACIS_COMMIT` and `GLACIS_BUILD_TIME`. */
export function about(description: string): About {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  return {
    version,
    commit: process.env['GLACIS_COMMIT'] ?? 'unknown',
    description,
    buildTime: process.env['GLACIS_BUILD_TIME'] ?? 'unknown',
    instanceId: newId(),
  };
}
