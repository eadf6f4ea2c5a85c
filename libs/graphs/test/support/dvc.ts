import { cached, requireProgram, runCommand } from '@glacis/testbed/cluster';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** That of the image which clusters have by default, 2.9.3, does not run with the libraries of today. */
const version = '3.67.1';

/** The folder of the program `dvc`, installed from PyPI once per machine. */
export async function dvcFolder(): Promise<string> {
  const folder = await cached(`dvc-${version}`, async (draft) => {
    const python = await requireProgram('python3', 'python3-venv');
    await runCommand(python, ['-m', 'venv', join(draft, 'venv')]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    await runCommand(join(draft, 'venv/bin/python'), [...pip, `dvc==${version}`]);
    // Its own script would name the folder that it was made in.
    const script = '#!/bin/sh\nexec "$(dirname "$0")/venv/bin/python" -m dvc "$@"\n';
    await writeFile(join(draft, 'dvc'), script);
    await chmod(join(draft, 'dvc'), 0o755);
  });
  return folder;
}
