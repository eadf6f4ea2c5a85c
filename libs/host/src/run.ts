import { run as runProgram, type RunOptions } from '@glacis/runtime';
import { SettingsError } from '@glacis/settings';

/** Runs a program to its end, as `run` of `@glacis/runtime`; settings that do not hold explain themselves. */
export function run({ plain = [], ...options }: RunOptions): Promise<void> {
  return runProgram({ ...options, plain: [SettingsError, ...plain] });
}
