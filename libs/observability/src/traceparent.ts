import { randomBytes } from 'node:crypto';

/** The parts of a W3C `traceparent` (Trace Context 1, version 00). */
export interface TraceIds {
  /** 32 lower-case hex digits. */
  traceId: string;
  /** 16 lower-case hex digits: the span that is the parent of what follows. */
  spanId: string;
  sampled: boolean;
}

/** Version 00 ends after the flags, later ones may go on; version ff and ids of zeros alone are none. */
const form =
  /^(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** Reads a `traceparent`; `undefined` when it is absent or malformed, and so a new trace begins. */
export function parseTraceparent(text: string | undefined): TraceIds | undefined {
  if (text === undefined || text.length > 128) return undefined;
  const [, traceId, spanId, flags] = form.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceparent(ids: TraceIds): string {
  return `00-${ids.traceId}-${ids.spanId}-${ids.sampled ? '01' : '00'}`;
}

/** The `traceparent` of a new trace that nobody records. */
export function newTraceparent(): string {
  const hex = randomBytes(24).toString('hex');
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-00`;
}
