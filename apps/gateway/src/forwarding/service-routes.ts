/** What the door passes on to which service, as Fastify route patterns, and what of it needs no token. */
export interface ServiceRoutes {
  /** Patterns of routes under a token. */
  guarded: readonly string[];
  /** Patterns of routes that anybody may call. */
  open: readonly string[];
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
    guarded: [...below('/certs'), '/:tenant/certs', ...common('certificates')],
    open: [
      ...below('/certs/ocsp'),
      ...below('/certs/crl'),
      ...below('/certs/ca'),
      '/certs/view-ca',
      '/certs/download-ca',
      '/certs/:serial/download',
    ],
  },
} satisfies Record<string, ServiceRoutes>;

export type ServiceName = keyof typeof serviceRoutes;

/** True for a path of an OpenAPI document that one of the patterns leads to. */
export function isPassedOn({ guarded, open }: ServiceRoutes, path: string): boolean {
  const segments = path.split('/');
  return [...guarded, ...open].some((pattern) => {
    const wanted = pattern.split('/');
    if (wanted.length !== segments.length && wanted.at(-1) !== '*') return false;
    return wanted.every(
      (part, i) =>
        part === '*' || (part.startsWith(':') && i < segments.length) || part === segments[i],
    );
  });
}
