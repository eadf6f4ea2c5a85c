import type { Answer, Door, DoorCall } from './door.js';
import { isRefusal, SuiteError } from './suite-error.js';

/** A backend as the suite shows it (`backends.md` 2.3). */
export interface Backend {
  id: string;
  name: string;
  address: string;
  description?: string;
  active?: boolean;
  protocol?: string;
  certificate_serial?: string;
  version?: string;
}

/** What is settable of it. */
export interface BackendInput {
  name: string;
  description: string;
  address: string;
  protocol: string;
}

/** A certificate as the CA shows it (`certificates.md` 2.3). */
export interface CertificateView {
  certificate: string;
  status: 'valid' | 'revoked' | 'expired';
  revocation_reason?: string;
}

interface Termination {
  id: string;
  type: number;
  state: 'recorded' | 'delivered' | 'closed' | 'not_connected';
}

const pageSize = 100;
const maxPages = 100;

/** Of the reconcile that asks. */
export interface SuiteContext {
  signal?: AbortSignal;
  traceparent?: string;
  /** Whether anything may still be asked; looked at right before each call, as timers of a paused process come late. */
  holds?: () => boolean;
}

/** What the operator asks of the suite, in one tenant. Every call throws `SuiteError` only. */
export class Suite {
  constructor(
    private readonly door: Pick<Door, 'call'>,
    private readonly tenant: string,
    private readonly context: SuiteContext = {},
  ) {}

  /** @returns its id; the same for the same key. @throws {SuiteError} refused: `backend-exists` among others */
  async register(key: string, backend: BackendInput): Promise<string> {
    const call = { method: 'POST', path: '/backends', body: backend, idempotencyKey: key } as const;
    return lastPart(await this.call(call));
  }

  /** The backend with this description, whatever it is called by now. */
  async findDescribed(description: string, name?: string): Promise<Backend | undefined> {
    const filter = name === undefined ? '' : `&name=${encodeURIComponent(name)}`;
    for (let page = 0; page < maxPages; page++) {
      const path = `/backends?limit=${pageSize}&offset=${page * pageSize}${filter}`;
      const { backends } = await this.json<{ backends: Backend[] }>({ method: 'GET', path });
      const found = backends.find((backend) => backend.description === description);
      if (found || backends.length < pageSize) return found;
    }
    return undefined;
  }

  /** Undefined: there is none, or no longer. */
  backend(id: string): Promise<Backend | undefined> {
    return known(this.json<Backend>({ method: 'GET', path: `/backends/${id}` }));
  }

  async replaceBackend(id: string, backend: BackendInput): Promise<void> {
    await this.call({ method: 'PUT', path: `/backends/${id}`, body: backend });
  }

  /** One that is gone already counts as done. */
  async deleteBackend(id: string): Promise<void> {
    await known(this.call({ method: 'DELETE', path: `/backends/${id}` }));
  }

  /** Id of the latest termination by a user that has ended a stream, or is about to. */
  async latestTermination(id: string): Promise<string | undefined> {
    const path = `/backends/${id}/terminations?limit=${pageSize}`;
    const page = await known(this.json<{ terminations: Termination[] }>({ method: 'GET', path }));
    return page?.terminations.find(({ type, state }) => type === 1 && state !== 'not_connected')
      ?.id;
  }

  /**
   * Has a certificate issued for the key of a CSR; the same one for the same key.
   * @throws {SuiteError} refused: `name-not-allowed` among others
   */
  async issue(
    backendId: string,
    request: { csr: string; ttl: string; key: string },
  ): Promise<Issued> {
    const { csr, ttl, key } = request;
    const path = `/certs/csrs/${backendId}?ttl=${encodeURIComponent(ttl)}`;
    const call = { method: 'POST', path, body: { csr }, idempotencyKey: key } as const;
    const reply = await this.json<{ serial_number: string; certificate: string }>(call);
    return { serial: reply.serial_number, certificate: reply.certificate };
  }

  /** Has it renewed for its key, to which the same request gives the same certificate. */
  async renew(serial: string, ttl: string): Promise<Issued> {
    const path = `/certs/${serial}/renew`;
    const idempotencyKey = `renew-${serial}-${ttl}`;
    const call = { method: 'PATCH', path, body: { ttl }, idempotencyKey } as const;
    const successor = (await this.json<{ serial_number: string }>(call)).serial_number;
    const view = await this.certificate(successor);
    if (!view) throw new SuiteError('unavailable', 'the renewed certificate cannot be read yet');
    return { serial: successor, certificate: view.certificate };
  }

  /** Undefined: unknown in this tenant. */
  certificate(serial: string): Promise<CertificateView | undefined> {
    return known(this.json<CertificateView>({ method: 'GET', path: `/certs/${serial}` }));
  }

  /** Serials of a backend that are neither revoked nor expired. */
  async validSerials(backendId: string): Promise<string[]> {
    const path = `/certs?entity_id=${backendId}&status=valid&limit=${pageSize}`;
    const { certificates } = await this.json<{ certificates: { SerialNumber: string }[] }>({
      method: 'GET',
      path,
    });
    return certificates.map(({ SerialNumber }) => SerialNumber);
  }

  /** One that is unknown or revoked already counts as done. */
  async revoke(serial: string, reason: 'superseded' | 'cessationOfOperation'): Promise<void> {
    const path = `/certs/${serial}/revoke`;
    await known(this.call({ method: 'PATCH', path, body: { reason } }));
  }

  /** PEM of the roots alone. */
  async roots(): Promise<string> {
    return (await this.call({ method: 'GET', path: '/certs/ca?only=roots' })).text;
  }

  private async call(call: DoorCall): Promise<Answer> {
    const { signal, traceparent, holds } = this.context;
    if (holds?.() === false)
      throw new SuiteError('unavailable', 'the term of the leader has ended');
    return this.door.call(this.tenant, { ...call, signal, traceparent });
  }

  private async json<T>(call: DoorCall): Promise<T> {
    const { text } = await this.call(call);
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new SuiteError('unavailable', 'an answer of the suite is no JSON', { cause });
    }
  }
}

/** A certificate with its chain, in PEM. */
export interface Issued {
  serial: string;
  certificate: string;
}

async function known<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isRefusal(error) && error.details.status === 404) return undefined;
    throw error;
  }
}

function lastPart({ location }: Answer): string {
  const id = location?.split('/').at(-1);
  if (!id) throw new SuiteError('unavailable', 'the suite named no Location');
  return id;
}
