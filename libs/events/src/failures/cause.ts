import { inspect } from 'node:util';

const maxLength = 1_000;
const secrets = [
  /-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g,
  /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g,
  /\bBearer\s+\S+/gi,
  /(?<=:\/\/)[^\s/@]+(?=@)/g,
];

/**
 * What went wrong, for a person who looks at a dead letter: name or code and message, without stack, keys, tokens and
 * passwords, at most 1,000 characters.
 */
export function causeText(error: unknown): string {
  const text =
    error instanceof Error ? `${labelOf(error)}: ${error.message}` : `thrown: ${inspect(error)}`;
  const clean = secrets
    .reduce((rest, secret) => rest.replace(secret, '[redacted]'), text)
    .replace(/\p{Cc}+/gu, ' ');
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean;
}

function labelOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? `${error.name} ${code}` : error.name;
}
