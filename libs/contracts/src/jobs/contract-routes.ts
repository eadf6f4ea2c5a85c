/** The routes whose bytes `jobs.md` 2 fixes, errors included. */
export const contractRoutes = [
  '/create_job',
  '/register_data_owner',
  '/submit_job',
  '/get_status',
] as const;
