#!/usr/bin/env node
import { SettingsError } from '@glacis/settings';
import { enrolCommand } from './enrolment/enrol-command.js';
import { createLog } from './log.js';
import { startProgram } from './program.js';
import { StartRefusedError } from './refusal.js';
import { loadManagerSettings } from './settings.js';

/** A clean-up that takes longer is cut off (`backends.md` 14). */
const cleanUpMs = 30_000;

async function main(): Promise<void> {
  const [command, ...args] = process.argv.slice(2);
  if (command === 'enrol') process.exit(await enrolCommand(args));
  const settings = loadManagerSettings();
  const log = createLog(settings.upstream.logLevel);
  const { manager, ended } = await startProgram(settings, log);
  const stop = (): void => {
    setTimeout(() => process.exit(0), cleanUpMs).unref();
    manager.stop();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => {
    void manager.renew().then((replaced) => log.info({ replaced }, 'certificate files read anew'));
  });
  await ended;
  process.exit(0);
}

main().catch((error: unknown) => {
  const told = error instanceof SettingsError || error instanceof StartRefusedError;
  createLog('error').error(told ? { reason: error.message } : { err: error }, 'cannot start');
  process.exit(1);
});
