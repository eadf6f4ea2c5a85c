import { refusals } from './contract-error.js';

/** Objects and arrays within each other at most. */
const maxDepth = 32;

const isJson = (contentType: string | undefined): boolean =>
  (contentType ?? '').split(';')[0]?.trim().toLowerCase() === 'application/json';

/**
 * Checks 5 and 6 of `jobs.md` 2.1. A byte order mark is skipped; of a member that comes twice the last one counts.
 * @throws {ContractError}
 */
export function readObject(
  bytes: Buffer | undefined,
  contentType: string | undefined,
): Record<string, unknown> {
  if (!isJson(contentType)) throw refusals.notJsonType();
  const value = parse(bytes ?? Buffer.alloc(0));
  if (!isObject(value) || depthOver(value, maxDepth)) throw refusals.notAnObject();
  return value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw refusals.notAnObject();
  }
}

function depthOver(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((member) => depthOver(member, depth - 1));
}
