import {
  choice,
  defineSettings,
  durationMs,
  flag,
  host,
  integer,
  list,
  optionalPort,
  optionalText,
  optionalUrl,
  parseDurationMs,
  port,
  ratePerSecond,
  setting,
  text,
  type Values,
} from '@glacis/settings';
import { isNameValue, leafKeyAlgorithms } from '@glacis/pki';
import { z } from 'zod';

/** How long a private key made by us is kept (`certificates.md` 4, "stored keys"). */
export type KeyRetention =
  { kind: 'duration'; ms: number } | { kind: 'until_downloaded' } | { kind: 'until_expiry' };

const keyRetention: z.ZodType<KeyRetention> = z.string().transform((value, context) => {
  if (value === 'until_downloaded' || value === 'until_expiry') return { kind: value };
  const ms = parseDurationMs(value);
  if (ms !== undefined) return { kind: 'duration' as const, ms };
  const message = 'expected a duration such as 24h, until_downloaded or until_expiry';
  context.addIssue({ code: 'custom', message, input: value });
  return z.NEVER;
});

/** A check that needs https would need a check itself. */
const plainHttpUrl = optionalUrl.refine((url) => url === undefined || url.startsWith('http://'), {
  error: 'expected a plain http URL',
});

/** The longest name of ours that begins with it, of an issuing CA, has 64 characters at most. */
const organization = text.refine(
  (value) => isNameValue('organization', value) && value.length <= 40,
  {
    error: 'expected 1 to 40 characters',
  },
);

/** A duration within bounds, both included and both written as durations. */
function duration(min: string, max?: string): z.ZodType<number> {
  const [least, most] = [min, max].map((bound) => parseDurationMs(bound ?? ''));
  return durationMs.refine((ms) => ms >= (least ?? 0) && ms <= (most ?? ms), {
    error: max === undefined ? `expected at least ${min}` : `expected ${min} to ${max}`,
  });
}

const trustDomain = text.refine((value) => /^[a-z0-9._-]{1,255}$/.test(value), {
  error: 'expected a SPIFFE trust domain: a-z, 0-9, dots, hyphens and underscores',
});

/** Settings of the certificates service: `GLACIS_CERTS_*` (`certificates.md` 11). */
export const certificatesSettings = defineSettings('GLACIS_CERTS_', {
  httpPort: setting(port, '9010', 'Port of the REST interface when the service runs on its own.'),
  grpcHost: setting(host, '0.0.0.0', 'Address on which other services are listened for.'),
  grpcPort: setting(
    optionalPort,
    '7012',
    'Port for the calls of other services; 0 takes a free one, empty: none is opened.',
  ),
  grpcNames: setting(
    list,
    'localhost,127.0.0.1,::1',
    'Host names and IP addresses under which other services dial us; all of them stand in our server certificate.',
  ),
  estHost: setting(host, '0.0.0.0', 'Address on which hosts that enrol are listened for.'),
  estPort: setting(
    optionalPort,
    '9012',
    'Port of EST, where hosts enrol and renew; 0 takes a free one, empty: none is opened.',
  ),
  estNames: setting(
    list,
    'localhost,127.0.0.1,::1',
    'Host names and IP addresses under which hosts dial EST; all of them stand in its server certificate.',
  ),
  enrolRate: setting(
    integer(1, 100_000),
    '10',
    'Tries to enrol or renew in a minute, per address and per backend.',
  ),
  joinServices: setting(
    list,
    'gateway,backends,graph-apps,jobs,operator',
    'Services that get their certificate by `GLACIS_JOIN_TOKEN`.',
  ),
  publicUrl: setting(optionalUrl, '', 'Where clients reach the REST API.'),
  statusUrl: setting(
    plainHttpUrl,
    '',
    'Plain http URL that certificates point to for OCSP, CRL and issuer; default: the public URL when that is http.',
  ),
  statusHost: setting(
    host,
    '0.0.0.0',
    'Address of the public port for OCSP, CRLs and CA certificates.',
  ),
  statusPort: setting(
    optionalPort,
    '',
    'Plain http port with nothing but OCSP, CRLs and CA certificates; 0 takes a free one, empty: none is opened, and they are on the REST port alone.',
  ),
  reservedNames: setting(
    list,
    '',
    'Names of our own services: host names, .suffixes and CIDRs that no certificate of a tenant may carry.',
  ),
  allowLoopback: setting(
    flag,
    'false',
    'Lets any certificate carry loopback addresses and localhost; for development on one machine.',
  ),
  organization: setting(
    organization,
    'Glacis',
    'O of every certificate and beginning of the CA names.',
  ),
  trustDomain: setting(
    trustDomain,
    'glacis.local',
    'SPIFFE trust domain of the URI in certificates.',
  ),
  defaultTtl: setting(
    duration('1m'),
    '2160h',
    'Life of a certificate when the request names none.',
  ),
  maxTtl: setting(
    duration('1m'),
    '8760h',
    'Longest life of a certificate; longer wishes are shortened.',
  ),
  keyAlgorithm: setting(
    choice(...leafKeyAlgorithms),
    'ECDSA-P256',
    'Key of a certificate when the request names none.',
  ),
  rsaQueue: setting(
    integer(2, 1024),
    '32',
    'RSA keys made or waited for at once; more is 503, and 429 for a tenant with half of them.',
  ),
  caKeyAlgorithm: setting(
    choice('ECDSA-P256', 'RSA-4096'),
    'ECDSA-P256',
    'Key of the root and of the intermediate that the first start creates.',
  ),
  kekFile: setting(
    text,
    undefined,
    'File with the key-encryption keys, one of 32 bytes per line in base64 or hex; the first encrypts.',
  ),
  caDir: setting(
    optionalText,
    '',
    'Folder of a CA to be brought in: tls.crt (CA, then its chain), tls.key, ca.crt (its root), ca.crl (its latest CRL). Empty: the CA is made here.',
  ),
  caUnused: setting(
    flag,
    'false',
    'The CA in caDir has issued nothing, so it may come without a CRL.',
  ),
  rootTtl: setting(duration('1h'), '87600h', 'Life of the root.'),
  intermediateTtl: setting(duration('1h'), '17520h', 'Life of an intermediate.'),
  crlNextUpdate: setting(
    duration('1m'),
    '24h',
    'How long a CRL is valid; signed anew after half of it.',
  ),
  crlShardSize: setting(integer(1, 1_000_000), '4096', 'Certificates per CRL shard, as a target.'),
  crlOpenShards: setting(integer(1, 1024), '16', 'CRL shards that take new certificates at once.'),
  crlRate: setting(ratePerSecond, '50/s', 'CRL, CA and download requests per address.'),
  ocspNextUpdate: setting(duration('1m'), '1h', 'How long an OCSP answer is valid.'),
  ocspMaxAge: setting(durationMs, '60s', 'How long HTTP caches may keep an OCSP answer.'),
  ocspRate: setting(ratePerSecond, '1000/s', 'OCSP requests per address and issuer.'),
  statusRetention: setting(
    durationMs,
    '8760h',
    'How long the status of a certificate is told after its end; then its row goes.',
  ),
  tokenTtl: setting(
    // As long as a replaced key counts.
    duration('1s', '10m'),
    '5m',
    'Life of a download token; at most 10m.',
  ),
  keyRetention: setting(
    keyRetention,
    '24h',
    'How long a private key made by us is kept: a duration, until_downloaded or until_expiry.',
  ),
});

export type CertificatesSettings = Values<typeof certificatesSettings.shape>;

/** What the pointers in certificates begin with; undefined when certificates carry none (`certificates.md` 5.1). */
export function statusUrlOf(settings: CertificatesSettings): string | undefined {
  const { statusUrl, publicUrl } = settings;
  return statusUrl ?? (publicUrl?.startsWith('http://') ? publicUrl : undefined);
}
