import type { JobsSettings } from '../settings.js';

type Places = Pick<
  JobsSettings,
  'publicUrl' | 'awsRegion' | 'awsEndpoint' | 'gcpProject' | 'gcpEndpoint' | 'azureEndpoints'
>;

/** Where upload links of this service may lead: to itself, and to the clouds that have its buckets. */
export function uploadOrigins(settings: Places): string[] {
  const { publicUrl, awsRegion, awsEndpoint, gcpProject, gcpEndpoint, azureEndpoints } = settings;
  const links = [
    publicUrl,
    awsRegion && (awsEndpoint ?? `https://*.s3.${awsRegion}.amazonaws.com`),
    gcpProject && (gcpEndpoint ?? 'https://storage.googleapis.com'),
    ...azureEndpoints,
  ];
  return links.filter((link) => !!link).map((link) => originOf(String(link)));
}

const originOf = (link: string): string => link.replace(/^(https?:\/\/[^/]+).*$/, '$1');

/** What the owner page may load and reach: its own modules, its service, the buckets; nothing inline, no other origin. */
export const contentPolicy = (settings: Places): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    ["connect-src 'self'", ...uploadOrigins(settings)].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
