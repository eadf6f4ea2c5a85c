import { createHash } from 'node:crypto';
import { parseDurationMs } from '@glacis/settings';
import type { TeeManagerSpec } from './tee-manager.js';

export interface Lifetime {
  serial: string;
  notBefore: Date;
  notAfter: Date;
}

/** Certificates begin so many milliseconds before they are issued (`certificates.md` 5.1). */
const backdatedMs = 60_000;
const jitter = 0.05;

/**
 * When a certificate is to be renewed: `renewBefore` ahead of its end, and up to 5 % of that earlier, by its serial, so
 * that of many not all come at once. Where the CA has given a shorter life than was asked for, `renewBefore` shrinks
 * with it: else it might be due as soon as it is issued, for ever.
 */
export function renewalTime(wanted: TeeManagerSpec['certificate'], issued: Lifetime): Date {
  const ttl = durationOf(wanted.ttl);
  const life = issued.notAfter.getTime() - issued.notBefore.getTime() - backdatedMs;
  const asked = wanted.renewBefore === undefined ? ttl / 3 : durationOf(wanted.renewBefore);
  const before = asked * Math.min(1, Math.max(0, life) / ttl);
  const earlier = jitter * Math.min(before, Math.max(0, life - before)) * chanceOf(issued.serial);
  return new Date(issued.notAfter.getTime() - before - earlier);
}

/** The API server has held them to the form. */
const durationOf = (text: string): number => parseDurationMs(text) ?? Number.NaN;

/** 0 to 1, always the same for a serial: a restart must not move the time. */
function chanceOf(serial: string): number {
  return createHash('sha256').update(serial).digest().readUInt32BE() / 2 ** 32;
}
