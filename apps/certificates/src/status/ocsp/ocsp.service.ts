import {
  certIdDer,
  certIdHashes,
  ocspError,
  OcspRequestError,
  ocspResponse,
  readOcspRequest,
  type OcspErrorStatus,
  type OcspRequest,
  type OcspRequestItem,
} from '@glacis/pki';
import type { Clock } from '@glacis/runtime';
import type { Authority } from '../../authority/authority.js';
import type { Ca } from '../../authority/issuer.entity.js';
import type { Responders } from '../../authority/responders.js';
import type { CertificatesMetrics } from '../../metrics.js';
import type { CertificatesSettings } from '../../settings.js';
import type { AddressLimit } from '../address-limit.js';
import { Lru } from '../lru.js';
import { bodyTag } from '../status-headers.js';
import { answerFor, isExpired, type AnswerTerms } from './ocsp-times.js';
import { whatIsAsked, type OcspQuestion } from './ocsp-question.js';
import type { OurIssuers } from './our-issuers.js';
import { StatusUnavailableError, type StatusReader, type StoredStatus } from './status-reader.js';

export interface OcspParts {
  settings: CertificatesSettings;
  authority: Authority;
  issuers: OurIssuers;
  responders: Responders;
  reader: StatusReader;
  limit: AddressLimit;
  metrics: CertificatesMetrics;
  clock: Clock;
}

/** A reply to an OCSP request. Only a statement that was made for nobody in particular may be cached by others. */
export interface OcspReply {
  body: Buffer;
  kind: 'error' | 'personal' | 'cacheable';
  thisUpdate: Date;
  nextUpdate: Date;
  etag: string;
}

interface Signed extends OcspReply {
  /** What it was signed about: another version or an end since then makes it void. */
  versions: string;
  /** Epoch milliseconds from which a new one is signed. */
  renewAt: number;
}

const cachedAnswers = 20_000;
const beyondSerials = 1n << 159n;

/** Answers OCSP requests (RFC 6960) for every live intermediate. */
export class Ocsp {
  private readonly cache = new Lru<string, Signed>(cachedAnswers);

  constructor(private readonly parts: OcspParts) {}

  /** @param address of the peer, which the rate limit counts */
  async answer(der: Buffer, address: string): Promise<OcspReply> {
    return this.guarded(() => this.answerRequest(readOcspRequest(der), address));
  }

  /**
   * Answers a question in JSON. The address pays before anything is read or looked up.
   * @throws Problem `malformed`
   */
  async answerQuestion(question: OcspQuestion, address: string): Promise<OcspReply> {
    const { authority, limit, reader } = this.parts;
    if (!limit.admits(`${address} `)) return this.error('tryLater');
    return this.guarded(async () => {
      const asked = await whatIsAsked(question, authority.cas, (serial) => reader.issuerOf(serial));
      return asked.issuer === undefined
        ? this.error('unauthorized')
        : this.answerItems(asked.issuer, { items: [itemOf(asked.issuer, asked.serial)] });
    });
  }

  /** An error answer; never cached. */
  error(status: OcspErrorStatus): OcspReply {
    this.count(status, false);
    const now = this.parts.clock.now();
    const body = ocspError(status);
    return { body, kind: 'error', thisUpdate: now, nextUpdate: now, etag: '' };
  }

  private async guarded(answer: () => Promise<OcspReply>): Promise<OcspReply> {
    try {
      return await answer();
    } catch (error) {
      if (error instanceof StatusUnavailableError) return this.error('tryLater');
      if (error instanceof OcspRequestError) return this.error('malformedRequest');
      throw error;
    }
  }

  private async answerRequest(request: OcspRequest, address: string): Promise<OcspReply> {
    const issuer = this.parts.issuers.of(request.items);
    if (!this.parts.limit.admits(`${address} ${issuer?.id ?? ''}`)) return this.error('tryLater');
    return issuer === undefined ? this.error('unauthorized') : this.answerItems(issuer, request);
  }

  private async answerItems(issuer: Ca, request: OcspRequest): Promise<OcspReply> {
    if (this.parts.responders.of(issuer.id) === undefined) return this.error('unauthorized');
    const statuses = await Promise.all(request.items.map((item) => this.read(issuer, item)));
    const [item, ...more] = request.items;
    const [status] = statuses;
    const isCommon = request.nonce === undefined && more.length === 0;
    return isCommon && item !== undefined && status !== undefined
      ? this.cached(issuer, item, status)
      : this.sign(issuer, request, statuses);
  }

  private read(issuer: Ca, { serial }: OcspRequestItem): Promise<StoredStatus> {
    // No serial of ours is so long; 0 is none either.
    const asked = serial > 0n && serial < beyondSerials ? serial : 0n;
    return this.parts.reader.read({ issuerId: issuer.id, serial: asked.toString() });
  }

  private cached(issuer: Ca, item: OcspRequestItem, status: StoredStatus): OcspReply {
    const now = this.parts.clock.now();
    // The CertID names issuer, serial and hash, and has to come back byte for byte.
    const key = item.certIdDer.toString('latin1');
    const versions = versionsOf(status, now);
    const known = this.cache.get(key);
    if (known !== undefined && known.versions === versions && now.getTime() < known.renewAt) {
      this.count(statusName(status), true);
      return known;
    }
    const reply = this.sign(issuer, { items: [item] }, [status]);
    if (reply.kind === 'error') return reply;
    const renewAt = now.getTime() + this.parts.settings.ocspNextUpdate / 2;
    const signed: Signed = { ...reply, kind: 'cacheable', versions, renewAt };
    this.cache.set(key, signed);
    return signed;
  }

  private sign(issuer: Ca, request: OcspRequest, statuses: StoredStatus[]): OcspReply {
    const { settings, clock, responders } = this.parts;
    const responder = responders.of(issuer.id);
    if (responder === undefined) return this.error('unauthorized');
    const terms: AnswerTerms = {
      now: clock.now(),
      nextUpdateMs: settings.ocspNextUpdate,
      statusRetentionMs: settings.statusRetention,
      issuerNotBefore: issuer.info.notBefore,
    };
    const answers = request.items.flatMap((item, i) => {
      const status = statuses[i];
      return status === undefined ? [] : [answerFor(item.certIdDer, status, terms)];
    });
    const { nonce } = request;
    const body = ocspResponse({ responder, producedAt: terms.now, answers, nonce });
    for (const status of statuses) this.count(statusName(status), false);
    const [first] = answers;
    return {
      body,
      kind: 'personal',
      thisUpdate: first?.thisUpdate ?? terms.now,
      nextUpdate: first?.nextUpdate ?? terms.now,
      etag: bodyTag(body),
    };
  }

  private count(status: string, cached: boolean): void {
    this.parts.metrics.ocspRequests.inc({ status, cached: String(cached) });
  }
}

/** The item by which a request in DER would ask. */
function itemOf(issuer: Ca, serial: bigint): OcspRequestItem {
  const { sha1 } = certIdHashes(issuer.info);
  return {
    certIdDer: certIdDer({ ...sha1, hash: 'sha1', serial }),
    hash: 'sha1',
    issuerNameHash: sha1.nameHash,
    issuerKeyHash: sha1.keyHash,
    serial,
  };
}

function versionsOf(status: StoredStatus, now: Date): string {
  const leaf = status.certificate?.version ?? 0;
  return `${leaf} ${status.issuerVersion} ${isExpired(status, now)}`;
}

const statusName = ({ certificate }: StoredStatus): string =>
  certificate === null ? 'unknown' : certificate.status === 'valid' ? 'good' : 'revoked';
