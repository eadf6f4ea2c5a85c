#!/usr/bin/env node
import './small-heap.js';
import { run } from '@glacis/host/bare';
import { KubeError } from '@glacis/kube';
import { commandOf } from './command-line.js';
import { startProgram, type Program } from './program.js';
import { loadOperatorSettings } from './settings.js';

async function start(): Promise<Program> {
  const command = commandOf(process.argv.slice(2));
  const settings = loadOperatorSettings(command);
  const program = await startProgram(command, settings);
  const { host } = settings.process;
  const webhooks =
    program.webhookPort === undefined
      ? ''
      : `, webhooks ${command.webhooks.host}:${program.webhookPort}`;
  console.log(`operator has started: http ${host}:${program.httpPort}${webhooks}`);
  return program;
}

await run({ name: 'operator', start, stopLimitMs: 10_000, plain: [KubeError] });
