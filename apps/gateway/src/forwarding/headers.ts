/**
 * Names and values of headers in turn, as Node and undici give and take them; names in any case. Repeated ones stay
 * repeated.
 */
export type RawHeaders = readonly string[];

/** Headers that concern one connection only (RFC 9110 7.6.1), beside those that `Connection` names. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** What a client may not say in our name, and what the connection to the service settles by itself. */
const ownToUs = [
  'host',
  'expect',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
  'traceparent',
];

/** Without these the body would be another one, or the caller nobody. */
const endToEnd = new Set(['content-length', 'content-type', 'authorization', 'host']);

export interface Passage {
  /** The client's address. */
  address: string;
  requestId: string;
  traceparent: string;
}

/** The headers of a request as a service gets them. */
export function requestHeaders(raw: RawHeaders, passage: Passage): string[] {
  return [
    ...without(raw, ownToUs),
    'x-forwarded-for',
    passage.address,
    'x-request-id',
    passage.requestId,
    'traceparent',
    passage.traceparent,
  ];
}

/** The headers of an answer as the client gets them; the door sets the request's id itself. */
export function replyHeaders(raw: RawHeaders): string[] {
  return without(raw, ['x-request-id']);
}

function without(raw: RawHeaders, more: readonly string[]): string[] {
  const dropped = new Set([...namedByConnection(raw), ...hopByHop, ...more]);
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    if (!dropped.has(name.toLowerCase())) kept.push(name, raw[i + 1] as string);
  }
  return kept;
}

function namedByConnection(raw: RawHeaders): string[] {
  const names: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if ((raw[i] as string).toLowerCase() !== 'connection') continue;
    names.push(...(raw[i + 1] as string).split(',').map((name) => name.trim().toLowerCase()));
  }
  return names.filter((name) => !endToEnd.has(name));
}

/** The target of a request in origin form (RFC 9112 3.2.1), as it came otherwise: nothing decoded, nothing merged. */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return path.startsWith('/') ? path : `/${path}`;
}
