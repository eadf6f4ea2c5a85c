import { defineProblem } from '@glacis/http';

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
