#!/usr/bin/env node
import './small-heap.js';
import { run } from '@glacis/host/bare';
import { KubeError } from '@glacis/kube';
import { startOperator, type Operator } from './program.js';
import { loadOperatorSettings } from './settings.js';

async function start(): Promise<Operator> {
  const settings = loadOperatorSettings();
  const operator = await startOperator(settings);
  console.log(`operator has started: http ${settings.process.host}:${operator.httpPort}`);
  return operator;
}

await run({ name: 'operator', start, stopLimitMs: 10_000, plain: [KubeError] });
