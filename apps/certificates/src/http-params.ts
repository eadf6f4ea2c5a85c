import type { PipeTransform } from '@nestjs/common';
import { problems } from '@glacis/http';
import { parseSerial } from '@glacis/pki';
import type { TenantEntityType } from './names/entity-directory.js';

/** Where the routes of certificates stand; clients of 2025 put the tenant in front (`certificates.md` 10.2). */
export const certsPaths = ['certs', ':domainId/certs'];

/** A serial in a path, in any of its spellings, as decimal text. */
export class SerialPipe implements PipeTransform<string, string> {
  transform(text: string): string {
    const serial = parseSerial(text);
    if (serial !== null) return serial.toString();
    throw problems.malformed('serial: expected decimal digits, 0x hex or colon-separated hex', {
      error: 'malformed serial number',
      members: { field: 'serial' },
    });
  }
}

/** The entity type that a tenant asks a certificate for; `backend` where the request names none. */
export class EntityTypePipe implements PipeTransform<string | undefined, TenantEntityType> {
  transform(text: string | undefined): TenantEntityType {
    if (text === undefined || text === 'backend') return 'backend';
    if (text === 'cvm' || text === 'party') return text;
    if (text === 'service') {
      throw problems.forbidden('certificates of our own services are not issued to tenants');
    }
    throw problems.malformed('entity_type: expected backend, cvm or party', {
      error: 'unknown entity type',
      members: { field: 'entity_type' },
    });
  }
}

/** True when `Accept` names the media type itself; a wildcard does not count. */
export function namesType(accept: string | undefined, type: string): boolean {
  return (accept ?? '')
    .split(',')
    .some((range) => range.split(';', 1)[0]?.trim().toLowerCase() === type);
}
