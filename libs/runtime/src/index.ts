export { CLOCK, systemClock, ManualClock, type Clock } from './clock.js';
export { Bell } from './bell.js';
export { newId } from './id.js';
export { TokenBuckets, type TokenBucketsOptions } from './token-buckets.js';
export { backoffMs, type BackoffOptions } from './backoff.js';
export { coalesce, type CoalesceOptions } from './coalesce.js';
export { Loop, type LoopOptions } from './loop.js';
export { waitFor, type WaitForOptions } from './wait-for.js';
export { readIfThere, writeSecretFile } from './secret-file.js';
