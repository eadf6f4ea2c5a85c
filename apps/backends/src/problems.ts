import { defineProblem } from '@glacis/http';

export const backendExists = defineProblem({
  slug: 'backend-exists',
  status: 409,
  title: 'Conflict',
  message: 'entity already exists',
  about:
    'Another backend of the tenant has this name or this address. Both are unique in a tenant; addresses are compared in lower case and with compressed IPv6.',
});
