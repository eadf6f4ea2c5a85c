import { CsrError, type Csr } from '@glacis/pki';
import { problems } from '@glacis/http';
import { z } from 'zod';
import { wantedDnsName, wantedIp, type WantedName } from '../names/wanted-name.js';
import { csrRejected } from '../problems.js';
import type { CsrReader } from './csr-reader.js';
import { distinct, ttl } from './issue-request.js';
import { profile } from './profile-rules.js';

/** Body of POST `/certs/csrs/{entityID}`; other members of upstream clients are not read. */
export const csrBody = z.object({ csr: z.string().min(1) });

export const csrQuery = z.object({ ttl, profile, entity_type: z.string().optional() });

/** What a certificate takes from a CSR. */
export interface WantedByCsr {
  csr: Csr;
  names: WantedName[];
}

/** The CSR can be read but no certificate comes of it. Told after it is known that the entity is the caller's. */
export interface RejectedCsr {
  rejection: Error;
}

const maxNames = 32;

/** @throws Problem `malformed` */
export async function wantedByCsr(
  reader: CsrReader,
  text: string,
): Promise<WantedByCsr | RejectedCsr> {
  const csr = await readOrReject(reader, text);
  if ('rejection' in csr) return csr;
  if (csr.ipAddresses.length > maxNames || csr.dnsNames.length > maxNames) {
    throw malformedCsr(`more than ${maxNames} names of a kind`);
  }
  const names = [...csr.ipAddresses.map(wantedIp), ...csr.dnsNames.map(wantedDnsName)];
  if (names.includes(null)) throw malformedCsr('a name is no IP address or host name');
  return { csr, names: distinct(names.filter((name) => name !== null)) };
}

async function readOrReject(reader: CsrReader, text: string): Promise<Csr | RejectedCsr> {
  try {
    return await reader.read(text);
  } catch (error) {
    if (!(error instanceof CsrError)) throw error;
    if (error.code === 'malformed') throw malformedCsr(error.message);
    return { rejection: csrRejected(error.message) };
  }
}

const malformedCsr = (reason: string): Error =>
  problems.malformed(`csr: ${reason}`, { error: reason, members: { field: 'csr' } });
