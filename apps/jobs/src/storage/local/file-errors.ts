import { ProviderError, type ProviderErrorCode } from '../provider-error.js';

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

export const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT';

/** `rename` onto a folder that holds something, `link` onto a name that is taken. */
export const isThere = (error: unknown): boolean =>
  codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOTEMPTY';

const codes: Readonly<Record<string, ProviderErrorCode>> = {
  ENOENT: 'not_found',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ENOSPC: 'quota',
  EDQUOT: 'quota',
  EMFILE: 'unavailable',
  ENFILE: 'unavailable',
  EIO: 'unavailable',
};

const messages: Partial<Record<ProviderErrorCode, string>> = {
  not_found: 'there is no such bucket or object',
  denied: 'the file system refuses it',
  quota: 'no space is left',
};

/** What the file system said, as a failure of the provider. */
export function failureOf(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  const code = codes[codeOf(error)] ?? 'unavailable';
  return new ProviderError(code, messages[code] ?? 'the file system does not answer', error);
}
