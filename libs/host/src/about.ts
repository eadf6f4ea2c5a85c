import { readFileSync } from 'node:fs';
import type { About } from '@glacis/http';
import { newId } from '@glacis/runtime';

const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');

/** All programs of the suite are released together, under one version. */
export const { version } = JSON.parse(manifest) as { version: string };

/** What `/health` tells of this build. Packagers set `GLACIS_COMMIT` and `GLACIS_BUILD_TIME`. */
export function about(description: string): About {
  return {
    version,
    commit: process.env['GLACIS_COMMIT'] ?? 'unknown',
    description,
    buildTime: process.env['GLACIS_BUILD_TIME'] ?? 'unknown',
    instanceId: newId(),
  };
}
