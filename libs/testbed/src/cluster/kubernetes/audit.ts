import { readFile } from 'node:fs/promises';

/** Every request is written when it is answered, without bodies: those of Secrets have no place in a log. */
export const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

/** Of `audit.k8s.io/v1`, what tests count by. */
export interface AuditEvent {
  /** `ResponseStarted` of a watch, else `ResponseComplete`. */
  stage: string;
  verb: string;
  requestURI: string;
  user: { username: string; groups?: string[] };
  userAgent?: string;
  objectRef?: {
    resource?: string;
    namespace?: string;
    name?: string;
    apiGroup?: string;
    subresource?: string;
  };
  responseStatus?: { code?: number; reason?: string };
  /** RFC 3339, with microseconds. */
  requestReceivedTimestamp: string;
}

/** What the API server has answered so far; the last line may be half written. */
export async function readAuditLog(file: string): Promise<AuditEvent[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as AuditEvent);
}
