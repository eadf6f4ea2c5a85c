import type { Outbox } from '@glacis/events';
import type { RpcDirectory } from '@glacis/grpc';
import type { Audit } from '@glacis/identity';
import type { Health, Logger } from '@glacis/observability';
import type { Clock } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import { Authority } from './authority/authority.js';
import { Responders } from './authority/responders.js';
import { statusUrls } from './authority/status-urls.js';
import { CertificateFiles } from './certificates/certificate-files.js';
import { Certificates } from './certificates/certificates.service.js';
import { purge } from './certificates/purge.js';
import { DownloadTokens } from './downloads/download-tokens.js';
import { Downloads } from './downloads/downloads.service.js';
import { TokenKeys } from './downloads/token-keys.js';
import { IssueWriter } from './issuing/issue-writer.js';
import { Issuing } from './issuing/issuing.service.js';
import { LeafSigner } from './issuing/leaf-signer.js';
import { Renewal } from './issuing/renewal.service.js';
import { ServiceIssuing } from './issuing/service-issuing.service.js';
import { loadKeks } from './keys/kek.js';
import { KeySafe } from './keys/key-safe.js';
import type { CertificatesMetrics } from './metrics.js';
import { EntityDirectory } from './names/entity-directory.js';
import { reservedSpace } from './names/name-space.js';
import { NameClaimsReader } from './names/name-claims.js';
import { Names } from './names/names.service.js';
import { Policies } from './names/policies.service.js';
import { Revocation } from './revocation/revocation.service.js';
import { CertificatesRpcService } from './rpc/certificates-rpc.service.js';
import { statusUrlOf, type CertificatesSettings } from './settings.js';
import { AddressLimit } from './status/address-limit.js';
import { CrlShards } from './status/crl/crl-shards.js';
import { Crls } from './status/crl/crls.service.js';
import { OcspHeaders } from './status/ocsp/ocsp-headers.js';
import { Ocsp } from './status/ocsp/ocsp.service.js';
import { OurIssuers } from './status/ocsp/our-issuers.js';
import { StatusReader } from './status/ocsp/status-reader.js';
import { Upkeep, type UpkeepTask } from './upkeep.js';

/** What the program around the service gives it. */
export interface Surroundings {
  settings: CertificatesSettings;
  store: Store;
  outbox: Outbox;
  audit: Audit;
  directory: RpcDirectory;
  metrics: CertificatesMetrics;
  health: Health;
  logger: Logger;
  clock: Clock;
}

/** Makes every object of the service, in the order in which they need one another; loads or creates the CA. */
export async function compose(around: Surroundings) {
  const { settings, store, outbox, audit, metrics, clock } = around;
  const keks = await loadKeks(settings.kekFile);
  const safe = new KeySafe(store, keks, clock);
  const statusUrl = statusUrlOf(settings);
  if (statusUrl === undefined) {
    around.logger.warn('certificates carry no status pointers: GLACIS_CERTS_STATUS_URL is not set');
  }
  const common = { ...around, safe, urls: statusUrls(statusUrl) };

  const authority = await Authority.open(common);
  const responders = new Responders({ ...common, authority });
  const shards = new CrlShards({ ...common, authority });
  const tokenKeys = new TokenKeys(common);
  await Promise.all([responders.refresh(), shards.refresh(), tokenKeys.refresh()]);

  const { publicUrl, allowLoopback } = settings;
  const urls = [publicUrl, statusUrl].filter((url) => url !== undefined);
  const reserved = reservedSpace(settings.reservedNames, urls);
  const directory = new EntityDirectory(around.directory);
  const claims = new NameClaimsReader(store, clock);
  const names = new Names({ directory, reserved, allowLoopback, claims, metrics });
  const policies = new Policies({ store, audit, reserved, allowLoopback, clock });

  const files = new CertificateFiles(authority);
  const signer = new LeafSigner({ ...common, authority, shards });
  const writer = new IssueWriter({ store, safe, outbox, audit });
  const issuing = new Issuing({ ...common, names, signer });
  const revocation = new Revocation(common);
  const renewal = new Renewal({ ...common, names, signer, writer, revocation });
  const serviceIssuing = new ServiceIssuing({ settings, issuing, writer, files });
  const tokens = new DownloadTokens({ keys: tokenKeys, ttlMs: settings.tokenTtl, metrics, clock });
  const downloads = new Downloads({ ...common, tokens, files });
  const certificates = new Certificates({ store, files, clock });

  const ocsp = new Ocsp({
    ...common,
    issuers: new OurIssuers(authority),
    responders,
    reader: new StatusReader(store, clock),
    limit: new AddressLimit(settings.ocspRate, clock),
  });
  const crls = new Crls({ ...common, authority });
  const rpc = new CertificatesRpcService({
    directory: around.directory,
    store,
    authority,
    serviceIssuing,
    revocation,
    clock,
  });

  const upkeep = new Upkeep(
    tasks({
      responders: () => responders.refresh(),
      shards: () => shards.refresh(),
      tokenKeys: () => tokenKeys.refresh(),
      erase: () => safe.eraseDue(),
      rewrap: () => safe.rewrapOld(),
      purge: () => purge(store, clock.now(), settings.statusRetention),
    }),
    around.logger,
  );
  return {
    safe,
    authority,
    responders,
    policies,
    writer,
    issuing,
    revocation,
    renewal,
    downloads,
    certificates,
    ocsp,
    ocspHeaders: new OcspHeaders(settings.ocspMaxAge, clock),
    crls,
    publicLimit: new AddressLimit(settings.crlRate, clock),
    rpc,
    upkeep,
  };
}

export type Services = Awaited<ReturnType<typeof compose>>;

const second = 1_000;
const minute = 60 * second;

type TaskName = 'responders' | 'shards' | 'tokenKeys' | 'erase' | 'rewrap' | 'purge';

function tasks(run: Record<TaskName, () => Promise<void>>): UpkeepTask[] {
  return [
    { name: 'ocsp responders', everyMs: 60 * minute, run: run.responders },
    { name: 'crl shards', everyMs: 10 * second, run: run.shards },
    { name: 'download token keys', everyMs: minute, run: run.tokenKeys },
    { name: 'erasing of keys', everyMs: 10 * second, run: run.erase },
    { name: 'rewrapping of keys', everyMs: minute, run: run.rewrap },
    { name: 'purge', everyMs: 10 * minute, run: run.purge },
  ];
}
