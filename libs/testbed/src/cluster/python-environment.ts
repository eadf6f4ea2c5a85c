import { join } from 'node:path';
import { cached } from './cache.js';
import { runCommand } from './command.js';
import { requireProgram } from './programs.js';

/**
 * The Python of a virtual environment with packages of PyPI, installed once per machine. What they install is run by
 * it: scripts of an environment name the place where it was made.
 * @param name tells version and recipe, such as `moto-5.2.5`
 * @param packages with their versions, such as `moto==5.2.5`
 * @throws {MissingProgramError} without Python 3
 */
export async function pythonEnvironment(
  name: string,
  ...packages: [string, ...string[]]
): Promise<string> {
  const folder = await cached(name, async (draft) => {
    await runCommand(await requireProgram('python3', 'python3-venv'), ['-m', 'venv', draft]);
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    await runCommand(join(draft, 'bin', 'python'), [...install, ...packages]);
  });
  return join(folder, 'bin', 'python');
}
