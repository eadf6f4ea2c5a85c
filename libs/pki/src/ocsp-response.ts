import { createHash, type KeyObject } from 'node:crypto';
import * as der from './der.js';
import { extensionDer } from './extensions.js';
import { publicKeyBits } from './keys.js';
import { oidDer } from './oids.js';
import { signed } from './signing.js';

/** A delegated responder: signs for one issuer with a key of its own. */
export interface OcspResponder {
  privateKey: KeyObject;
  /** Its certificate in DER, embedded in every response. */
  certificate: Buffer;
  /** SHA-1 of its public key bits (`keyIdOf`): the responder id. */
  keyId: Buffer;
}

export type OcspStatus =
  { kind: 'good' } | { kind: 'revoked'; at: Date; reason: number } | { kind: 'unknown' };

export interface OcspAnswer {
  /** CertID of the request, byte for byte. */
  certIdDer: Buffer;
  status: OcspStatus;
  thisUpdate: Date;
  nextUpdate: Date;
  /** How far back the answers of an expired certificate reach (RFC 6960 4.4.4). */
  archiveCutoff?: Date;
}

export interface OcspResponseSpec {
  responder: OcspResponder;
  producedAt: Date;
  answers: readonly OcspAnswer[];
  /** extnValue of the request's nonce, byte for byte. */
  nonce?: Buffer;
}

/** A successful response (RFC 6960 4.2.1), signed; times are cut to their second. DER. */
export function ocspResponse(spec: OcspResponseSpec): Buffer {
  const { responder, nonce } = spec;
  const byKey = der.explicit(2, der.octetString(responder.keyId));
  const parts = [
    byKey,
    der.generalizedTime(spec.producedAt),
    der.sequence(...spec.answers.map(singleResponse)),
  ];
  if (nonce !== undefined) {
    parts.push(der.explicit(1, der.sequence(extensionDer(oidDer.ocspNonce, nonce))));
  }
  const certificates = der.explicit(0, der.sequence(responder.certificate));
  const basic = signed(der.sequence(...parts), responder.privateKey, certificates);
  return der.sequence(
    der.enumerated(0),
    der.explicit(0, der.sequence(oidDer.ocspBasic, der.octetString(basic))),
  );
}

function singleResponse(answer: OcspAnswer): Buffer {
  const parts = [
    answer.certIdDer,
    certStatus(answer.status),
    der.generalizedTime(answer.thisUpdate),
    der.explicit(0, der.generalizedTime(answer.nextUpdate)),
  ];
  if (answer.archiveCutoff !== undefined) {
    const cutoff = der.generalizedTime(answer.archiveCutoff);
    parts.push(der.explicit(1, der.sequence(extensionDer(oidDer.ocspArchiveCutoff, cutoff))));
  }
  return der.sequence(...parts);
}

function certStatus(status: OcspStatus): Buffer {
  if (status.kind === 'good') return der.implicit(0, Buffer.alloc(0));
  if (status.kind === 'unknown') return der.implicit(2, Buffer.alloc(0));
  const at = der.generalizedTime(status.at);
  if (status.reason === 0) return der.explicit(1, at);
  return der.explicit(1, at, der.explicit(0, der.enumerated(status.reason)));
}

const errorCodes = { malformedRequest: 1, internalError: 2, tryLater: 3, unauthorized: 6 } as const;
export type OcspErrorStatus = keyof typeof errorCodes;

/** An unsigned error response. DER. */
export function ocspError(status: OcspErrorStatus): Buffer {
  return der.sequence(der.enumerated(errorCodes[status]));
}

export type CertIdHash = 'sha1' | 'sha256';

/** Name and key hash by which a CertID names an issuer. */
export interface IssuerHashes {
  nameHash: Buffer;
  keyHash: Buffer;
}

/** Both hashes of an issuer, from its subject and its SubjectPublicKeyInfo in DER. */
export function certIdHashes(issuer: {
  subjectDer: Buffer;
  spki: Buffer;
}): Record<CertIdHash, IssuerHashes> {
  const by = (hash: CertIdHash): IssuerHashes => ({
    nameHash: createHash(hash).update(issuer.subjectDer).digest(),
    keyHash: createHash(hash).update(publicKeyBits(issuer.spki)).digest(),
  });
  return { sha1: by('sha1'), sha256: by('sha256') };
}

const hashAlgorithms = {
  sha1: der.sequence(oidDer.sha1, der.NULL),
  sha256: der.sequence(oidDer.sha256, der.NULL),
} as const;

/** CertID (RFC 6960 4.1.1) of one certificate, as clients of ours ask for it. DER. */
export function certIdDer(id: IssuerHashes & { hash: CertIdHash; serial: bigint }): Buffer {
  return der.sequence(
    hashAlgorithms[id.hash],
    der.octetString(id.nameHash),
    der.octetString(id.keyHash),
    der.integer(id.serial),
  );
}
