import { canonicalAddress, certificateIp } from '@glacis/pki';
import type { Backend, BackendInput } from '../suite/suite.js';
import type { TeeManager } from './tee-manager.js';

/** What the backends service is told of the host. */
export function backendInput(manager: TeeManager): BackendInput {
  const { backend, protocol } = manager.spec;
  return {
    name: backend.name,
    description: descriptionOf(manager),
    address: backend.address ?? podAddress(manager),
    protocol,
  };
}

/** By the uid in it the backend of this very object is found again. */
export function descriptionOf({ metadata }: TeeManager): string {
  return `TeeManager ${metadata.namespace}/${metadata.name} ${metadata.uid}`;
}

/** Whether the backend is to be told anew. The service keeps names without the blanks around them. */
export function differs(backend: Backend, input: BackendInput): boolean {
  return (
    backend.name !== input.name.trim() ||
    backend.address !== input.address ||
    (backend.description ?? '') !== input.description ||
    backend.protocol !== input.protocol
  );
}

export interface CertificateNames {
  dnsNames: string[];
  ipAddresses: string[];
}

/** The names that the certificate of the host asks for: the host part of its address (`certificates.md` 2.5). */
export function certificateNames(manager: TeeManager): CertificateNames {
  const host = canonicalAddress(backendInput(manager).address)?.host;
  if (host === undefined) return { dnsNames: [], ipAddresses: [] };
  const isAddress = certificateIp(host) !== null;
  // Nobody may have a name of one label in a certificate; it would refuse the whole request.
  const isName = !isAddress && host.includes('.');
  return { dnsNames: isName ? [host] : [], ipAddresses: isAddress ? [host] : [] };
}

function podAddress({ metadata: { name, namespace } }: TeeManager): string {
  return `${name}-0.${name}.${namespace}.svc`;
}
