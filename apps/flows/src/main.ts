#!/usr/bin/env node
import { run } from '@glacis/runtime';
import { loadSettings, SettingsError } from '@glacis/settings';
import { startFlows } from './flows.js';
import { flowsSettings } from './settings.js';

async function start(): Promise<{ stop: () => Promise<void> }> {
  const server = await startFlows(loadSettings(flowsSettings));
  console.log(`flows has started: http port ${server.port}`);
  return { stop: () => server.close() };
}

await run({ name: 'flows', start, stopLimitMs: 10_000, plain: [SettingsError] });
