import type { TeeManager, TeeManagerStatus } from './tee-manager.js';
import { wishes } from './tee-manager.js';

type Termination = TeeManagerStatus['termination'];

export interface TerminationFound {
  /** For the status: the latest one, and what was asked for when it was seen. */
  termination: Termination;
  /** Nothing else has been asked for since. */
  terminated: boolean;
}

/** @param latest id of the latest termination by a user; undefined: there is none, or nobody has looked */
export function terminationOf(manager: TeeManager, latest: string | undefined): TerminationFound {
  const known = manager.status?.termination;
  const asked = {
    generation: manager.metadata.generation ?? 0,
    restart: manager.metadata.annotations?.[wishes.restart],
  };
  if (latest !== undefined && latest !== known?.id) {
    return { termination: { id: latest, ...asked }, terminated: true };
  }
  const same = known?.generation === asked.generation && known.restart === asked.restart;
  return { termination: known, terminated: known !== undefined && same };
}
