import { readFileSync } from 'node:fs';

const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');

/** All programs of the suite are released together, under one version. */
export const { version } = JSON.parse(manifest) as { version: string };
