#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agentConfig, AGENT_HOST_VARIABLE, AGENT_TOKEN_VARIABLE } from '@glacis/contracts';
import { WorkLoop } from './agent/work-loop.js';
import { Steps } from './agent/steps.js';
import { Coordinator } from './coordinator/coordinator.js';
import { programDigest } from './job/program-digest.js';
import { enrol } from './keys/enrol.js';
import { keptKey } from './keys/kept-key.js';

/** The directory that an agent is started in is all that it has. */
const folder = process.cwd();

const gone = (): void => process.exit(1);

/** Whoever started it has gone when standard input ends: nobody else would end this process. */
function holdLifeLine(): void {
  process.stdin.on('end', gone).on('close', gone).on('error', gone).resume();
}

async function main(): Promise<void> {
  const token = process.env[AGENT_TOKEN_VARIABLE] ?? '';
  delete process.env[AGENT_TOKEN_VARIABLE];
  const told: unknown = JSON.parse(await readFile(join(folder, 'agent.json'), 'utf8'));
  const host = process.env[AGENT_HOST_VARIABLE];
  const config = { ...agentConfig.parse(told), ...(host && { advertise_host: host }) };
  if (config.life_line) holdLifeLine();
  const coordinator = new Coordinator(config.coordinator, config.coordinator_ca);
  const [macKey, engine] = await Promise.all([keptKey(folder, 'mac'), programDigest()]);
  const enrolled = await enrol(coordinator, token, macKey.publicKey);
  const steps = new Steps({ folder, config, coordinator, enrolled, macKey, engine });
  await new WorkLoop(coordinator, steps).run(new AbortController().signal);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    // What went wrong may quote what it read; its name says enough.
    console.error(JSON.stringify({ error: error instanceof Error ? error.name : 'unknown' }));
    process.exit(1);
  },
);
