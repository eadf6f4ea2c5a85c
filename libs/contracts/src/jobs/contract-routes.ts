/** The routes whose bytes `jobs.md` 2 fixes, errors included. */
export const contractRoutes = [
  '/create_job',
  '/register_data_owner',
  '/submit_job',
  '/get_status',
] as const;

/** Those and the dry run, which is checked and refused as they are (3.1). */
export const checkedRoutes = [...contractRoutes, '/jobs/dry_run'] as const;

/** What they say of errors that any route may have, by slug or status of the problem (2.1). */
export const contractErrors: Readonly<Record<string, { error: string; status?: number }>> = {
  'idempotency-key-reused': { error: 'Idempotency-Key was used with a different body' },
  'request-under-way': { error: 'Idempotency-Key is in use' },
  401: { error: 'Authentication required' },
  403: { error: 'Not allowed' },
  413: { error: 'Request body too large' },
  429: { error: 'Too many requests' },
  502: { error: 'Service not ready', status: 503 },
  503: { error: 'Service not ready' },
  504: { error: 'Service not ready', status: 503 },
};
