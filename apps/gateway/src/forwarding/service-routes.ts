import { contractRoutes } from '@glacis/contracts';

/**
 * What the door passes on to which service, as Fastify route patterns, and what of it needs no token. A fixed segment
 * goes before a parameter, that before `*`.
 */
export interface ServiceRoutes {
  /** Patterns of routes under a token. */
  guarded: readonly string[];
  /** Patterns of routes that anybody may call. */
  open: readonly string[];
  /** Patterns of either list that take whole files. Default: none. */
  files?: readonly string[];
}

/** A path and everything below it. */
const below = (path: string): string[] => [path, `${path}/*`];

/** What every service has: its audit trail and its dead letters. */
const common = (service: string): string[] => [
  ...below(`/audit/${service}`),
  ...below(`/events/${service}`),
];

/** The services that may run apart, and the paths that their specs give them. */
export const serviceRoutes = {
  backends: { guarded: [...below('/backends'), ...common('backends')], open: [] },
  certificates: {
    guarded: [...below('/certs'), ...below('/:tenant/certs'), ...common('certificates')],
    open: [
      ...below('/certs/ocsp'),
      ...below('/certs/crl'),
      '/certs/ca',
      '/certs/ca/:issuer.crt',
      '/certs/view-ca',
      '/certs/download-ca',
      '/certs/:serial/download',
      '/:tenant/certs/:serial/download',
      '/:tenant/certs/download-ca',
    ],
  },
  'graph-apps': { guarded: [...below('/api/v1'), ...common('graph-apps')], open: [] },
  // Some of its callers hold tokens of its own, or none (`jobs.md` 12): it checks them all itself.
  jobs: {
    guarded: common('jobs'),
    open: [...contractRoutes, ...below('/jobs'), '/storage/*', '/ui/jobs/*'],
    files: ['/storage/*'],
  },
} satisfies Record<string, ServiceRoutes>;

export type ServiceName = keyof typeof serviceRoutes;

/** True for a path of an OpenAPI document that one of the patterns leads to. */
export function isPassedOn({ guarded, open }: ServiceRoutes, path: string): boolean {
  const segments = path.split('/');
  return [...guarded, ...open].some((pattern) => {
    const wanted = pattern.split('/');
    const below = wanted.at(-1) === '*';
    if (below ? segments.length < wanted.length : segments.length !== wanted.length) return false;
    return wanted.every((part, i) => part === '*' || matches(part, segments[i] ?? ''));
  });
}

/** A parameter stands where the document has one as well. */
function matches(part: string, segment: string): boolean {
  return part.startsWith(':') ? segment.startsWith('{') : part === segment;
}
