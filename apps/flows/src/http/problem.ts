/** What a caller is told instead of an answer (RFC 9457). The texts of `graph-apps.md` 7 are its `detail`. */
export class Problem extends Error {
  constructor(
    readonly code: keyof typeof kinds,
    readonly detail: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(detail);
  }

  get status(): number {
    return kinds[this.code].status;
  }

  /** @param instance path of the request */
  toJson(instance: string): string {
    const { status, title } = kinds[this.code];
    const type = `https://glacis.dev/problems/${this.code}`;
    const { detail, code } = this;
    return `${JSON.stringify({ type, title, status, detail, instance, code })}\n`;
  }
}

/** The codes, as in the catalogue that the suite serves under `/problems`. */
const kinds = {
  malformed: { status: 400, title: 'Bad Request' },
  forbidden: { status: 403, title: 'Forbidden' },
  'not-found': { status: 404, title: 'Not Found' },
  'method-not-allowed': { status: 405, title: 'Method Not Allowed' },
  'range-not-satisfiable': { status: 416, title: 'Range Not Satisfiable' },
  'invalid-request': { status: 422, title: 'Unprocessable Content' },
  internal: { status: 500, title: 'Internal Server Error' },
  unavailable: { status: 503, title: 'Service Unavailable' },
  'gateway-timeout': { status: 504, title: 'Gateway Timeout' },
} as const;

export const malformed = (detail: string): Problem => new Problem('malformed', detail);
export const notFound = (detail: string): Problem => new Problem('not-found', detail);
