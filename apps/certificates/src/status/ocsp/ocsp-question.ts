import { problems } from '@glacis/http';
import { fromPem, parseSerial, readCertificate, type CertificateInfo } from '@glacis/pki';
import { z } from 'zod';
import type { CaSet } from '../../authority/ca-set.js';
import type { Ca } from '../../authority/issuer.entity.js';

/** The JSON form of an OCSP request: one of the two. */
export const ocspQuestion = z
  .object({
    serial_number: z.string().max(64).optional(),
    certificate: z.string().max(32_768).optional(),
  })
  .refine((body) => body.serial_number !== undefined || body.certificate !== undefined, {
    error: 'expected serial_number or certificate',
  });

export type OcspQuestion = z.infer<typeof ocspQuestion>;

/** Whose certificate is asked about; the issuer is undefined when it is not one of ours. */
export interface Asked {
  issuer: Ca | undefined;
  serial: bigint;
}

/** @throws Problem `malformed` */
export async function whatIsAsked(
  question: OcspQuestion,
  cas: CaSet,
  issuerOf: (serial: string) => Promise<string | null>,
): Promise<Asked> {
  if (question.certificate !== undefined) return askedByCertificate(question.certificate, cas);
  const serial = parseSerial(question.serial_number ?? '');
  if (serial === null) throw malformed('serial_number');
  const issuerId = await issuerOf(serial.toString());
  const issuer = issuerId === null ? cas.current() : cas.byId(issuerId);
  return { issuer, serial };
}

function askedByCertificate(text: string, cas: CaSet): Asked {
  const info = readOrRefuse(text);
  const issuer = cas
    .answering()
    .find(
      (ca) =>
        ca.info.subjectDer.equals(info.issuerDer) && info.authorityKeyId?.equals(ca.info.keyId),
    );
  return { issuer, serial: info.serial };
}

/** PEM, or base64 of DER. */
function readOrRefuse(text: string): CertificateInfo {
  const [block] = fromPem(text);
  try {
    return readCertificate(block?.der ?? Buffer.from(text, 'base64'));
  } catch {
    throw malformed('certificate');
  }
}

const malformed = (field: string): Error =>
  problems.malformed(`${field}: cannot be read`, { members: { field } });
