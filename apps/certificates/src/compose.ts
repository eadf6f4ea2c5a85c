import type { Outbox } from '@glacis/events';
import type { RpcDirectory } from '@glacis/grpc';
import type { Audit } from '@glacis/identity';
import type { Health, Logger } from '@glacis/observability';
import type { Clock } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import { Authority } from './authority/authority.js';
import { CaInstaller } from './authority/ca-installer.js';
import { CaImport } from './authority/import/ca-import.service.js';
import { IssuerRevocation } from './authority/issuer-revocation.service.js';
import { Responders } from './authority/responders.js';
import { Rotation } from './authority/rotation.service.js';
import { statusUrls, type StatusUrls } from './authority/status-urls.js';
import { CertificateFiles } from './certificates/certificate-files.js';
import { Certificates } from './certificates/certificates.service.js';
import { DownloadTokens } from './downloads/download-tokens.js';
import { Downloads } from './downloads/downloads.service.js';
import { TokenKeys } from './downloads/token-keys.js';
import { EnrolmentTokens } from './enrolment/enrolment-tokens.js';
import { Enrolment } from './enrolment/enrolment.service.js';
import { EstPort } from './enrolment/est-port.js';
import { HostRenewal } from './enrolment/host-renewal.service.js';
import { CsrReader } from './issuing/csr-reader.js';
import { IssueWriter } from './issuing/issue-writer.js';
import { Issuing } from './issuing/issuing.service.js';
import { LeafSigner } from './issuing/leaf-signer.js';
import { Renewal } from './issuing/renewal.service.js';
import { ServiceIssuing } from './issuing/service-issuing.service.js';
import { PartyIssuing } from './issuing/party-issuing.service.js';
import { VmIssuing } from './issuing/vm-issuing.service.js';
import { Expiring } from './expiring/expiring.service.js';
import { loadKeks } from '@glacis/pki';
import { KeySafe } from './keys/key-safe.js';
import { Joining } from './joining/joining.service.js';
import { LeafKeys } from './keys/leaf-keys.js';
import type { CertificatesMetrics } from './metrics.js';
import { EntityDirectory } from './names/entity-directory.js';
import { reservedSpace } from './names/name-space.js';
import { NameClaimsReader } from './names/name-claims.js';
import { Names } from './names/names.service.js';
import { Policies } from './names/policies.service.js';
import { Revocation } from './revocation/revocation.service.js';
import { CertificatesRpcService } from './rpc/certificates-rpc.service.js';
import { InternalPort } from './rpc/internal-port.js';
import { UpstreamCertsService } from './rpc/upstream-certs.service.js';
import { Watches } from './rpc/watches.js';
import { statusUrlOf, type CertificatesSettings } from './settings.js';
import { AddressLimit } from './status/address-limit.js';
import { CrlShards } from './status/crl/crl-shards.js';
import { Crls } from './status/crl/crls.service.js';
import { OcspHeaders } from './status/ocsp/ocsp-headers.js';
import { Ocsp } from './status/ocsp/ocsp.service.js';
import { OurIssuers } from './status/ocsp/our-issuers.js';
import { StatusReader } from './status/ocsp/status-reader.js';
import { Upkeep } from './upkeep.js';
import { upkeepTasks } from './upkeep-tasks.js';

/** What the program around the service gives it. */
export interface Surroundings {
  settings: CertificatesSettings;
  store: Store;
  outbox: Outbox;
  audit: Audit;
  directory: RpcDirectory;
  joinToken: Buffer | undefined;
  metrics: CertificatesMetrics;
  health: Health;
  logger: Logger;
  clock: Clock;
}

/** The CA and the keys, loaded from the database or created in it. */
interface Foundation {
  safe: KeySafe;
  urls: StatusUrls | undefined;
  authority: Authority;
  installer: CaInstaller;
  rotation: Rotation;
  responders: Responders;
  shards: CrlShards;
  tokenKeys: TokenKeys;
}

/** Who may have which name. */
interface Naming {
  names: Names;
  policies: Policies;
}

/** The life of certificates. */
interface Lifecycle {
  files: CertificateFiles;
  csrs: CsrReader;
  writer: IssueWriter;
  issuing: Issuing;
  revocation: Revocation;
  issuerRevocation: IssuerRevocation;
  expiring: Expiring;
  renewal: Renewal;
  downloads: Downloads;
  certificates: Certificates;
  rpc: CertificatesRpcService;
  watches: Watches;
  internalPort: InternalPort;
}

/** What everybody may ask of the status of certificates. */
interface Status {
  ocsp: Ocsp;
  ocspHeaders: OcspHeaders;
  crls: Crls;
  publicLimit: AddressLimit;
}

/** Every object of the service. */
export interface Services extends Foundation, Naming, Lifecycle, Status {
  estPort: EstPort;
  upkeep: Upkeep;
}

/** Makes every object of the service, in the order in which they need one another. */
export async function compose(around: Surroundings): Promise<Services> {
  const foundation = await found(around);
  const naming = name(around);
  const life = live(around, foundation, naming);
  const status = tellStatus(around, foundation);
  const estPort = enrolling(around, { ...foundation, ...life, ...status });
  const made = { ...foundation, ...naming, ...life, ...status, estPort };
  return { ...made, upkeep: new Upkeep(upkeepTasks(around, made), around.logger) };
}

async function found(around: Surroundings): Promise<Foundation> {
  const { settings, store, clock, logger } = around;
  const statusUrl = statusUrlOf(settings);
  if (statusUrl === undefined) logger.warn('certificates carry no pointers: no status URL is set');
  const urls = statusUrls(statusUrl);
  const safe = new KeySafe(store, await loadKeks(settings.kekFile), clock);
  const authority = new Authority({ ...around, safe });
  const responders = new Responders({ ...around, safe });
  const shards = new CrlShards({ ...around, urls });
  const tokenKeys = new TokenKeys({ ...around, safe });
  authority.beforeUse((cas) => responders.refresh(cas));
  authority.beforeUse((cas) => shards.refresh(cas));
  const installer = new CaInstaller({ ...around, urls, safe });
  const caImport = new CaImport({ ...around, installer });
  const rotation = new Rotation({ ...around, authority, installer, caImport });
  await Promise.all([rotation.check(), tokenKeys.refresh()]);
  return { safe, urls, authority, installer, rotation, responders, shards, tokenKeys };
}

function name(around: Surroundings): Naming {
  const { settings, store, clock } = around;
  const { allowLoopback, publicUrl, reservedNames } = settings;
  const urls = [publicUrl, statusUrlOf(settings)].filter((url) => url !== undefined);
  const reserved = reservedSpace(reservedNames, urls);
  const directory = new EntityDirectory(around.directory);
  const claims = new NameClaimsReader(store, clock);
  return {
    names: new Names({ ...around, directory, reserved, allowLoopback, claims }),
    policies: new Policies({ ...around, reserved, allowLoopback }),
  };
}

function live(around: Surroundings, foundation: Foundation, { names }: Naming): Lifecycle {
  const parts = { ...around, ...foundation, names };
  const files = new CertificateFiles(foundation.authority);
  const signer = new LeafSigner(parts);
  const writer = new IssueWriter(parts);
  const keys = new LeafKeys(around.settings.rsaQueue);
  const issuing = new Issuing({ ...parts, signer, keys });
  const revocation = new Revocation(around);
  const serviceIssuing = new ServiceIssuing({ ...parts, issuing, writer, files });
  const vmIssuing = new VmIssuing({ ...parts, issuing, writer, files });
  const partyIssuing = new PartyIssuing({ ...parts, issuing, writer, files });
  const enrolmentTokens = new EnrolmentTokens(parts);
  const watches = new Watches(parts);
  const joining = new Joining({ ...around, serviceIssuing });
  const rpc = new CertificatesRpcService({
    ...parts,
    watches,
    serviceIssuing,
    vmIssuing,
    partyIssuing,
    revocation,
    enrolmentTokens,
  });
  const upstream = new UpstreamCertsService({ ...around, rpc, revocation });
  const ttlMs = around.settings.tokenTtl;
  const tokens = new DownloadTokens({ ...around, keys: foundation.tokenKeys, ttlMs });
  return {
    files,
    csrs: new CsrReader(around.logger),
    writer,
    issuing,
    revocation,
    issuerRevocation: new IssuerRevocation(parts),
    expiring: new Expiring(around),
    renewal: new Renewal({ ...parts, signer, writer, revocation }),
    downloads: new Downloads({ ...parts, tokens, files }),
    certificates: new Certificates({ ...around, files }),
    rpc,
    watches,
    internalPort: new InternalPort({ ...around, rpc, upstream, joining }),
  };
}

function enrolling(around: Surroundings, made: Foundation & Lifecycle & Status): EstPort {
  const { settings, clock } = around;
  const attempts = new AddressLimit(settings.enrolRate / 60, clock, settings.enrolRate);
  const parts = { ...around, ...made, attempts };
  return new EstPort({
    ...parts,
    enrolment: new Enrolment(parts),
    renewal: new HostRenewal(parts),
  });
}

function tellStatus(around: Surroundings, foundation: Foundation): Status {
  const { settings, store, clock } = around;
  const parts = { ...around, ...foundation };
  return {
    ocsp: new Ocsp({
      ...parts,
      issuers: new OurIssuers(foundation.authority),
      reader: new StatusReader(store, clock),
      limit: new AddressLimit(settings.ocspRate, clock),
    }),
    ocspHeaders: new OcspHeaders(settings.ocspMaxAge, clock),
    crls: new Crls(parts),
    publicLimit: new AddressLimit(settings.crlRate, clock),
  };
}
