import { isRefusal } from '../suite/suite-error.js';
import type { Backend, BackendInput } from '../suite/suite.js';
import { backendInput, descriptionOf, differs } from './backend-input.js';
import { no, yes, type Verdict } from './verdict.js';
import { saveStatus, type Work } from './work.js';

export interface Registration {
  verdict: Verdict;
  /** As the suite has it; absent: it has none of ours. */
  backend?: Backend;
}

/** Sees to it that the host is registered as the spec says. */
export async function register(work: Work): Promise<Registration> {
  const input = backendInput(work.manager);
  const { backendId } = work.manager.status ?? {};
  const ask = `${work.manager.metadata.uid} ${JSON.stringify(input)}`;
  const standing = work.memory.refusals.standing(ask, work.now);
  if (backendId === undefined) {
    if (standing) return { verdict: standing };
    const id = await registered(work, input, ask);
    if (typeof id !== 'string') return { verdict: id };
    return shown(work, id);
  }
  const registration = await shown(work, backendId);
  if (!registration.backend || !differs(registration.backend, input)) return registration;
  const verdict = standing ?? (await replace(work, input, ask));
  return { verdict: verdict ?? registration.verdict, backend: registration.backend };
}

async function shown({ suite, tenant }: Work, id: string): Promise<Registration> {
  const backend = await suite.backend(id);
  if (backend) return { verdict: yes('Registered', `backend ${id} of tenant ${tenant}`), backend };
  const message = `backend ${id} was deleted from outside; delete this TeeManager and create it again`;
  return { verdict: no('BackendDeleted', message) };
}

/** The id goes into the status before anything else: whatever happens then, the backend is known to be ours. */
async function registered(work: Work, input: BackendInput, ask: string): Promise<string | Verdict> {
  const { manager, suite, tenant } = work;
  const outcome = await suite
    .register(manager.metadata.uid, input)
    .catch(async (error: unknown) => {
      if (!isRefusal(error)) throw error;
      // Ours from before, if its id was lost for over a day or the spec has changed since: none but ours has the uid.
      const name = isRefusal(error, 'backend-exists') ? input.name.trim() : undefined;
      const own = await suite.findDescribed(descriptionOf(manager), name);
      return own?.id ?? work.memory.refusals.note(ask, error, work.now);
    });
  if (typeof outcome !== 'string') return outcome;
  await saveStatus(work, { ...manager.status, backendId: outcome, tenant });
  const note = `registered as backend ${outcome} of tenant ${tenant}`;
  work.tell({ reason: 'Registered', action: 'Register', note });
  return outcome;
}

async function replace(work: Work, input: BackendInput, ask: string): Promise<Verdict | undefined> {
  const { manager, suite, memory, now } = work;
  try {
    await suite.replaceBackend(manager.status?.backendId ?? '', input);
    work.tell({ reason: 'Updated', action: 'Register', note: 'the backend follows the spec' });
    return undefined;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return memory.refusals.note(ask, error, now);
  }
}
