#!/usr/bin/env node
import { run } from '@glacis/runtime';
import { loadSettings, SettingsError } from '@glacis/settings';
import { startLiveness } from './liveness-server.js';
import { livenessSettings } from './settings.js';

async function start(): Promise<{ stop: () => Promise<void> }> {
  const server = await startLiveness(loadSettings(livenessSettings));
  console.log(`liveness has started: http port ${server.port}`);
  return { stop: () => server.close() };
}

await run({ name: 'liveness', start, stopLimitMs: 10_000, plain: [SettingsError] });
