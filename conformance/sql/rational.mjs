// Exact fractions, for what is computed when a result is opened (jobs.md 7.3).

/** digits / 10^scale of decimal text. */
export function rational(text) {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(text));
  return { over: BigInt(sign + whole + fraction), under: 10n ** BigInt(fraction.length) };
}

export const multiply = (a, b) => ({ over: a.over * b.over, under: a.under * b.under });
export const add = (a, b) => ({
  over: a.over * b.under + b.over * a.under,
  under: a.under * b.under,
});
export const negate = (a) => ({ over: -a.over, under: a.under });
export const divide = (a, b) => {
  if (b.over === 0n) return null;
  const sign = b.over < 0n ? -1n : 1n;
  return { over: sign * a.over * b.under, under: sign * a.under * b.over };
};

const magnitude = (value) => (value < 0n ? -value : value);

/** Half away from zero, to so many digits. */
export function rounded({ over, under }, digits) {
  const factor = 10n ** BigInt(digits);
  const found = (2n * magnitude(over) * factor + under) / (2n * under);
  return { over: over < 0n ? -found : found, under: factor };
}

/** Root of a fraction that is not negative, rounded half up: the largest r with (2r - 1)² ≤ 4·x·10^2d. */
export function root({ over, under }, digits) {
  const factor = 10n ** BigInt(digits);
  const target = 4n * over * factor * factor;
  let [low, high] = [0n, 1n];
  const fits = (r) => r === 0n || (2n * r - 1n) ** 2n * under <= target;
  while (fits(high)) high *= 2n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return { over: low, under: factor };
}
