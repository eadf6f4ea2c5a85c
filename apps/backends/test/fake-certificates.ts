import { createHash } from 'node:crypto';
import type {
  CertificatesRpc,
  EnrolmentToken,
  EnrolmentTokenRequest,
  IssuedService,
  IssueServiceRequest,
  IssueVmRequest,
  ResolvedCertificate,
  RevokeEntityRequest,
  Revocation,
  RevocationNews,
  TrustBundle,
} from '@glacis/contracts';
import { RpcError, status } from '@glacis/grpc';
import {
  certificate,
  generateKeys,
  intermediateExtensions,
  leafExtensions,
  newSerial,
  privateKeyPem,
  readCsr,
  rootExtensions,
  selfIssuer,
  spkiOf,
  toPem,
  type AlternativeNames,
  type Issuer,
} from '@glacis/pki';
import { Bell } from '@glacis/runtime';

const DAY_MS = 86_400_000;
const URI = 'spiffe://test.example';

export interface Ca extends Issuer {
  der: Buffer;
  /** As issuer ids are made: the first half of the SHA-256 of the certificate. */
  id: string;
}

/** Files of a manager, as a download gives them. */
export interface ManagerFiles {
  serial: string;
  key: string;
  cert: string;
  ca: string;
}

export interface IssueOptions {
  tenant?: string;
  entityType?: string;
  notBefore?: Date;
  notAfter?: Date;
  issuer?: Ca;
  /** False: the certificate is valid, but the service does not know it. */
  stored?: boolean;
}

/**
 * The `certificates` service as `backends` sees it: a real CA, its memory in maps. What it answers is fixed by
 * `CertificatesRpc`, which the real service implements too.
 */
export class FakeCertificates implements CertificatesRpc {
  readonly resolved = new Map<string, ResolvedCertificate>();
  readonly revocations: Revocation[] = [];
  readonly revokedEntities: RevokeEntityRequest[] = [];
  readonly vms: IssueVmRequest[] = [];
  readonly enrolments: EnrolmentTokenRequest[] = [];
  /** While set, every call fails. */
  down = false;
  resolveCalls = 0;
  version = 1;
  intermediates: Ca[] = [];
  private revokedIssuers: string[] = [];
  private readonly bell = new Bell();

  private constructor(readonly root: Ca) {}

  static async create(): Promise<FakeCertificates> {
    const fake = new FakeCertificates(await makeCa('Root'));
    fake.intermediates.push(await makeCa('Issuing 1', fake.root));
    return fake;
  }

  get intermediate(): Ca {
    return this.intermediates.at(-1)!;
  }

  async addIntermediate(): Promise<Ca> {
    this.intermediates.push(await makeCa(`Issuing ${this.intermediates.length + 1}`, this.root));
    return this.intermediate;
  }

  /** A certificate for an entity with a new key, known to the service unless told otherwise. */
  async issue(entityId: string, options: IssueOptions = {}): Promise<ManagerFiles> {
    const { privateKey, publicKey } = await generateKeys('ECDSA-P256');
    const issuer = options.issuer ?? this.intermediate;
    const serial = newSerial();
    const notAfter = options.notAfter ?? new Date(Date.now() + DAY_MS);
    const der = leaf({ issuer, serial, spki: spkiOf(publicKey), names: {}, notAfter, options });
    if (options.stored !== false) {
      this.resolved.set(serial.toString(), {
        entityId,
        entityType: options.entityType ?? 'backend',
        tenant: options.tenant ?? 'tenant-a',
        status: 'valid',
        notAfter,
        fingerprintSha256: sha256(der),
        issuerId: issuer.id,
        certFileSha512: [],
      });
    }
    return {
      serial: serial.toString(),
      key: privateKeyPem(privateKey),
      cert: pem(der) + pem(issuer.der),
      ca: pem(this.root.der),
    };
  }

  /** Files of a server on 127.0.0.1. */
  async issueServer(): Promise<Omit<ManagerFiles, 'serial'>> {
    const { privateKey, publicKey } = await generateKeys('ECDSA-P256');
    const der = leaf({
      issuer: this.intermediate,
      serial: newSerial(),
      spki: spkiOf(publicKey),
      names: { ipAddresses: ['127.0.0.1'] },
      notAfter: new Date(Date.now() + DAY_MS),
      options: {},
    });
    const cert = pem(der) + pem(this.intermediate.der);
    return { key: privateKeyPem(privateKey), cert, ca: pem(this.root.der) };
  }

  /** Marks a serial as revoked, as a committed revocation does, and gives what the event would say. */
  revoke(serial: string, reason = 0): { sequence: number; revokedAt: Date } {
    const known = this.resolved.get(serial)!;
    known.status = 'revoked';
    const revocation = {
      sequence: this.revocations.length + 1,
      serialNumber: serial,
      entityId: known.entityId,
      revokedAt: new Date(),
      reason,
      issuerId: known.issuerId,
    };
    this.revocations.push(revocation);
    return revocation;
  }

  revokeIssuer(issuerId: string): { sequence: number; revokedAt: Date } {
    for (const known of this.resolved.values()) {
      if (known.issuerId === issuerId) known.status = 'revoked';
    }
    this.revokedIssuers.push(issuerId);
    this.intermediates = this.intermediates.filter((ca) => ca.id !== issuerId);
    this.version += 1;
    const revocation = {
      sequence: this.revocations.length + 1,
      revokedAt: new Date(),
      reason: 2,
      issuerId,
    };
    this.revocations.push(revocation);
    return revocation;
  }

  async resolve({ serialNumber }: { serialNumber: string }): Promise<ResolvedCertificate> {
    this.answer();
    this.resolveCalls += 1;
    const known = this.resolved.get(serialNumber);
    if (!known) throw new RpcError(status.NOT_FOUND, 'not-found', 'unknown serial');
    return { ...known };
  }

  async issueService(request: IssueServiceRequest): Promise<IssuedService> {
    this.answer();
    const notAfter = new Date(Date.now() + DAY_MS);
    const der = leaf({
      issuer: this.intermediate,
      serial: newSerial(),
      spki: readCsr(request.csr).spki,
      names: { dnsNames: request.dnsNames, ipAddresses: request.ipAddresses },
      notAfter,
      options: {},
    });
    return {
      chainPem: pem(der) + pem(this.intermediate.der),
      caPem: this.bundle(),
      notAfter,
    };
  }

  async revokeEntity(request: RevokeEntityRequest): Promise<{ serialNumbers: string[] }> {
    this.answer();
    this.revokedEntities.push(request);
    const serialNumbers = [...this.resolved]
      .filter(([, known]) => known.entityId === request.entityId && known.status === 'valid')
      .map(([serial]) => serial);
    serialNumbers.forEach((serial) => this.revoke(serial, request.reason));
    return { serialNumbers };
  }

  async issueParty(): Promise<IssuedService> {
    throw new Error('backends asks for no party');
  }

  async issueVm(request: IssueVmRequest): Promise<IssuedService> {
    this.answer();
    this.vms.push(request);
    const notAfter = new Date(Date.now() + (request.ttlSeconds * 1_000 || DAY_MS));
    const serial = newSerial();
    const der = leaf({
      issuer: this.intermediate,
      serial,
      spki: readCsr(request.csr).spki,
      names: {},
      notAfter,
      options: {},
    });
    this.resolved.set(serial.toString(), {
      entityId: request.vmId,
      entityType: 'cvm',
      tenant: request.tenant,
      status: 'valid',
      notAfter,
      fingerprintSha256: sha256(der),
      issuerId: this.intermediate.id,
      certFileSha512: [],
    });
    return {
      chainPem: pem(der) + pem(this.intermediate.der),
      caPem: this.bundle(),
      notAfter,
    };
  }

  async createEnrolmentToken(request: EnrolmentTokenRequest): Promise<EnrolmentToken> {
    this.answer();
    this.enrolments.push(request);
    const expiresAt = new Date(Date.now() + request.ttlSeconds * 1_000);
    return { token: 'token', expiresAt, caSha256: sha256(this.root.der) };
  }

  /** Gives the watchers what has happened since they were last told. */
  tell(): void {
    this.bell.ring();
  }

  async *watchRevocations(
    { after }: { after: number },
    signal: AbortSignal,
  ): AsyncGenerator<RevocationNews, void> {
    this.answer();
    for (let last = after; !signal.aborted;) {
      const { count } = this.bell;
      for (const revocation of this.revocations.filter(({ sequence }) => sequence > last)) {
        last = revocation.sequence;
        yield { sequence: last, revocation };
      }
      await this.bell.after(count, 3_000, signal);
      this.answer();
      yield { sequence: last };
    }
  }

  async *trustBundle(
    _request: Record<string, never>,
    signal: AbortSignal,
  ): AsyncGenerator<TrustBundle, void> {
    while (!signal.aborted) {
      this.answer();
      const { count } = this.bell;
      yield {
        caPem: this.bundle(),
        rootsPem: pem(this.root.der),
        version: this.version,
        revokedIssuerIds: this.revokedIssuers,
      };
      await this.bell.after(count, 60_000, signal);
    }
  }

  private bundle(): string {
    return [this.root, ...this.intermediates].map((ca) => pem(ca.der)).join('');
  }

  private answer(): void {
    if (this.down) throw new RpcError(status.UNAVAILABLE, 'unavailable', 'certificates are down');
  }
}

export async function makeCa(commonName: string, parent?: Ca): Promise<Ca> {
  const keys = await generateKeys('ECDSA-P256');
  const self = selfIssuer([{ type: 'commonName', value: commonName }], keys);
  const spki = spkiOf(keys.publicKey);
  const der = certificate({
    serial: newSerial(),
    issuer: parent ?? self,
    subject: self.subjectDer,
    publicKey: spki,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 365 * DAY_MS),
    extensions: parent
      ? intermediateExtensions({ issuer: parent, publicKey: spki, uri: URI })
      : rootExtensions({ publicKey: spki, uri: URI }),
  });
  return { ...self, der, id: sha256(der).slice(0, 32) };
}

function leaf(spec: {
  issuer: Ca;
  serial: bigint;
  spki: Buffer;
  names: AlternativeNames;
  notAfter: Date;
  options: IssueOptions;
}): Buffer {
  const { issuer, serial, spki, names, notAfter, options } = spec;
  return certificate({
    serial,
    issuer,
    subject: [{ type: 'commonName', value: 'test' }],
    publicKey: spki,
    notBefore: options.notBefore ?? new Date(Date.now() - 60_000),
    notAfter,
    extensions: leafExtensions({
      issuer,
      publicKey: spki,
      names: { uris: [`${URI}/test`], ...names },
      serverAuth: (names.dnsNames?.length ?? 0) + (names.ipAddresses?.length ?? 0) > 0,
    }),
  });
}

function pem(der: Buffer): string {
  return toPem('CERTIFICATE', der);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
