import { createHash } from 'node:crypto';
import { ProviderError } from './provider-error.js';
import type { Direction } from './storage-provider.js';

/** @param prefix `jobs.bucketPrefix`, at most 14 characters, so that every provider takes the name */
export function bucketName(
  prefix: string,
  direction: Direction,
  job: string,
  party: number,
): string {
  return `${prefix}-${direction}-${job}-${party}`;
}

const bucketPattern = /^([a-z0-9-]{1,14})-(in|out)-([0-9a-f-]{36})-(\d{1,2})$/;

/** What the name of a bucket says; undefined for one that is not ours. */
export function readBucketName(
  name: string,
): { prefix: string; direction: Direction; job: string; party: number } | undefined {
  const [, prefix = '', direction, job = '', party] = bucketPattern.exec(name) ?? [];
  if (direction === undefined) return undefined;
  return { prefix, direction: direction as Direction, job, party: Number(party) };
}

/** Names of owners never enter a path (jobs.md 6.1). */
export function ownerDir(job: string, owner: string): string {
  return createHash('sha256').update(`${job}\0${owner}`).digest('hex').slice(0, 32);
}

const fourDigits = (count: number): string => String(count).padStart(4, '0');

/** @param table its name, or `data` where a job has one table */
export function inputKey(dir: string, set: number, table: string): string {
  return `${dir}/${fourDigits(set)}/${table}`;
}

export function policyKey(dir: string, count: number): string {
  return `${dir}/policy/${fourDigits(count)}`;
}

export function resultKey(attempt: number): string {
  return `result-${attempt}`;
}

/** @throws {ProviderError} for a bucket that is not ours */
export function directionOf(bucket: string): Direction {
  const found = readBucketName(bucket);
  if (found === undefined) throw new ProviderError('invalid', 'the bucket is not one of ours');
  return found.direction;
}

/** The bucket, if it is one that results lie in: nothing else is ever read by a link (jobs.md 6.3). */
export function resultBucket(bucket: string): string {
  if (directionOf(bucket) === 'out') return bucket;
  throw new ProviderError('invalid', 'inputs are not read by links');
}
