import { access, constants } from 'node:fs/promises';
import type { Flow } from '../files/flow-root.js';
import type { Git } from './git.js';
import { repositoryOf } from './repository.js';

/** `GET /repo-check`: whether the directory of the flow can be read and git answers. The remote is not asked. */
export async function check(git: Git, flow: Flow): Promise<{ status: 'normal' | 'error' }> {
  try {
    await access(flow.folder, constants.R_OK | constants.X_OK);
    const repository = await repositoryOf(flow);
    await git.text(repository, ['for-each-ref', '--count=1', '--format=%(objecttype)']);
    return { status: 'normal' };
  } catch {
    return { status: 'error' };
  }
}
