import type { Range } from './types.js';

const DAY = 86_400_000;
const days = (milliseconds: number): bigint => BigInt(milliseconds / DAY);

/** Days since 1970-01-01 of a calendar day of the years 1 to 9999 (proleptic Gregorian), else undefined. */
export function dayOf(text: string): bigint | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match || match[1] === '0000') return undefined;
  const milliseconds = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(milliseconds)) return undefined;
  return new Date(milliseconds).toISOString().startsWith(text) ? days(milliseconds) : undefined;
}

/** The calendar day of a number of days since 1970-01-01. */
export const dayText = (day: bigint): string =>
  new Date(Number(day) * DAY).toISOString().slice(0, 10);

/** What a DATE holds unless it declares less: the years 1 to 9999. */
export const ALL_DAYS: Range = {
  min: days(Date.parse('0001-01-01T00:00:00Z')),
  max: days(Date.parse('9999-12-31T00:00:00Z')),
};
