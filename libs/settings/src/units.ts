const unitMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const durationPart = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/**
 * Milliseconds of a Go duration: `250ms`, `1h30m`, `1.5h`, `0`. `undefined` for anything else: a sign, a bare number
 * other than 0, or a length above what a number holds exactly.
 */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  if (text === '' || text.length > 64) return undefined;
  let total = 0;
  durationPart.lastIndex = 0;
  while (durationPart.lastIndex < text.length) {
    const match = durationPart.exec(text);
    if (!match) return undefined;
    total += Number(match[1]) * (unitMs[match[2] as string] as number);
  }
  return total <= Number.MAX_SAFE_INTEGER ? total : undefined;
}

const powers: Record<string, number> = { '': 0, k: 1, m: 2, g: 3, t: 4 };

/**
 * Bytes of a size: a whole number and b, kb, mb, gb or tb, with or without `i`, in any case, in powers of 1024.
 * `undefined` for anything else: a bare number other than 0, or a size above what a number holds exactly.
 */
export function parseSizeBytes(text: string): number | undefined {
  if (text === '0') return 0;
  const match = /^(\d{1,16}) ?(?:b|([kmgt])i?b)$/i.exec(text);
  if (!match) return undefined;
  const power = powers[(match[2] ?? '').toLowerCase()] as number;
  const bytes = Number(match[1]) * 1024 ** power;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
