import { invalidFields, missingFields, type Fault } from './contract-error.js';

/** Reads the members of a body one by one and gathers all that is wrong with them (`jobs.md` 2.1, checks 8 and 9). */
export class Fields {
  private readonly faults: (Fault & { member: string })[] = [];

  constructor(private readonly body: Readonly<Record<string, unknown>>) {}

  /** @throws {ContractError} naming all that are absent or null, in the order given */
  require(...names: string[]): void {
    const missing = names.filter((name) => this.get(name) === undefined);
    if (missing.length > 0) throw missingFields(missing);
  }

  /** Undefined: absent or null. */
  get(name: string): unknown {
    return Object.hasOwn(this.body, name) ? (this.body[name] ?? undefined) : undefined;
  }

  fault(member: string, code: string, message: string, field = member): void {
    this.faults.push({ member, field, code, message });
  }

  /**
   * The value that a reader makes of a member.
   * @param read throws {@link FieldError} for what it does not take
   * @returns the fallback where the member is absent, and where it has a fault
   */
  read<T, F>(name: string, read: (value: unknown) => T, fallback: F): T | F {
    const value = this.get(name);
    if (value === undefined) return fallback;
    try {
      return read(value);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      this.fault(name, error.code, error.message);
      return fallback;
    }
  }

  /** @throws {ContractError} naming every fault there is */
  check(): void {
    if (this.faults.length > 0) throw invalidFields(this.faults);
  }
}

/** A value that a member does not take. */
export class FieldError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const controls = /\p{Cc}/u;
const loneSurrogate = /\p{Cs}/u;

/** Text without control characters and lone surrogates. @param max Unicode characters */
export function plainText(max: number): (value: unknown) => string {
  return (value) => {
    const text = wellFormed(value);
    if (text === '') throw new FieldError('empty', 'must not be empty');
    if (controls.test(text)) throw new FieldError('control_character', 'no control characters');
    if (Array.from(text).length > max)
      throw new FieldError('too_long', `at most ${max} characters`);
    return text;
  };
}

/** Text that a database can hold. @param max bytes in UTF-8 */
export function boundedText(max: number): (value: unknown) => string {
  return (value) => {
    const text = wellFormed(value);
    if (text === '') throw new FieldError('empty', 'must not be empty');
    if (text.includes('\0')) throw new FieldError('control_character', 'no NUL');
    if (Buffer.byteLength(text) > max) throw new FieldError('too_long', `at most ${max} bytes`);
    return text;
  };
}

export function wholeNumber(min: number, max: number): (value: unknown) => number {
  return (value) => {
    if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max)
      return value as number;
    throw new FieldError('out_of_range', `expected a whole number from ${min} to ${max}`);
  };
}

export function trueOrFalse(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new FieldError('not_a_boolean', 'expected true or false');
}

/** @param bytes that base64url without padding stands for */
export function base64url(bytes: number, what: string): (value: unknown) => string {
  return (value) => {
    const text = typeof value === 'string' && /^[\w-]*$/.test(value) ? value : '';
    const decoded = Buffer.from(text, 'base64url');
    if (decoded.length === bytes && decoded.toString('base64url') === text) return text;
    throw new FieldError('not_a_key', `expected ${what}, ${bytes} bytes as base64url`);
  };
}

function wellFormed(value: unknown): string {
  if (typeof value !== 'string') throw new FieldError('not_a_string', 'expected a string');
  if (loneSurrogate.test(value)) throw new FieldError('lone_surrogate', 'no lone surrogates');
  return value;
}
