import { RpcError, status } from '@glacis/grpc';
import { defineProblem, problems, type Problem } from '@glacis/http';

export const backendExists = defineProblem({
  slug: 'backend-exists',
  status: 409,
  title: 'Conflict',
  message: 'entity already exists',
  about:
    'Another backend of the tenant has this name or this address. Both are unique in a tenant; addresses are compared in lower case and with compressed IPv6.',
});

export const notConnected = defineProblem({
  slug: 'not-connected',
  status: 409,
  title: 'Conflict',
  message: 'backend is not connected',
  about:
    'The command needs a manager that is connected. `GET /backends/{id}` shows `active` while it is.',
});

export const dialectCannot = defineProblem({
  slug: 'dialect-cannot',
  status: 409,
  title: 'Conflict',
  message: 'the protocol of the manager has no such command',
  about:
    'The manager speaks a dialect without this command, or one that cannot be told from another yet: then pin `protocol` on the backend.',
});

export const kbsHostNotAllowed = defineProblem({
  slug: 'kbs-host-not-allowed',
  status: 422,
  title: 'Unprocessable Content',
  message: 'key broker not allowed',
  about:
    'A guest takes its keys from the key broker that it is told, so only hosts that the operator has listed for the tenant (`GLACIS_BACKENDS_KBS_HOSTS`) may be named. Nothing was sent.',
});

export const runQueueFull = defineProblem({
  slug: 'run-queue-full',
  status: 409,
  title: 'Conflict',
  message: 'too many runs wait',
  about:
    'The manager starts one run at a time and as many as may wait already do (`GLACIS_BACKENDS_RUN_QUEUE`). Stop one, or try again later.',
});

export const vmLimit = defineProblem({
  slug: 'vm-limit',
  status: 409,
  title: 'Conflict',
  message: 'the manager has no room for another VM',
  about:
    'As many VMs run on the host as its manager allows (`MANAGER_MAX_VMS`). Remove one, or wait for one to end.',
});

export const vmRefused = defineProblem({
  slug: 'vm-refused',
  status: 409,
  title: 'Conflict',
  message: 'refused by the manager',
  about: 'The manager of the host was called and has refused; `detail` is what it says.',
});

export const vmUncertain = defineProblem({
  slug: 'vm-uncertain',
  status: 409,
  title: 'Conflict',
  message: 'it is uncertain whether the VM exists',
  about:
    'Its manager was asked for the VM and has not answered in time, so what it calls the VM is unknown. It is never asked again for the same VM; if there is one, it ends at `expires_at`.',
});

type MakeProblem = (detail: string) => Problem;

const ofReason: Readonly<Record<string, MakeProblem | undefined>> = {
  'not-connected': notConnected,
  'dialect-cannot': dialectCannot,
  'dialect-ambiguous': dialectCannot,
  'one-run-per-stream': dialectCannot,
  'queue-full': runQueueFull,
  'kbs-host-not-allowed': kbsHostNotAllowed,
};

/** Throws what a refusal of this service's own calls becomes over REST; anything else as it is. */
export function asProblem(error: unknown): never {
  if (!(error instanceof RpcError)) throw error;
  throw (ofReason[error.reason] ?? ofCode(error.code))(error.message);
}

/** The refusal of a question that the dialect of a client does not have. */
export function cannotBeAsked(text: string): RpcError {
  return new RpcError(status.FAILED_PRECONDITION, 'dialect-cannot', text);
}

function ofCode(code: status): MakeProblem {
  if (code === status.NOT_FOUND) return problems.notFound;
  return code === status.INVALID_ARGUMENT ? problems.malformed : problems.unavailable;
}
