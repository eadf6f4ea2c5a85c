/** An exact fraction; the denominator is above 0. */
export interface Rational {
  numerator: bigint;
  denominator: bigint;
}

/** digits / 10^scale */
export const decimal = (digits: bigint, scale: number): Rational => ({
  numerator: digits,
  denominator: 10n ** BigInt(scale),
});

export const add = (a: Rational, b: Rational): Rational => ({
  numerator: a.numerator * b.denominator + b.numerator * a.denominator,
  denominator: a.denominator * b.denominator,
});

export const negate = ({ numerator, denominator }: Rational): Rational => ({
  numerator: -numerator,
  denominator,
});

export const multiply = (a: Rational, b: Rational): Rational => ({
  numerator: a.numerator * b.numerator,
  denominator: a.denominator * b.denominator,
});

/** Null where the divisor is 0. */
export function divide(a: Rational, b: Rational): Rational | null {
  if (b.numerator === 0n) return null;
  const sign = b.numerator < 0n ? -1n : 1n;
  return {
    numerator: a.numerator * b.denominator * sign,
    denominator: a.denominator * b.numerator * sign,
  };
}

/** Digits of the value at a scale, rounded half away from zero. */
export function rounded({ numerator, denominator }: Rational, scale: number): bigint {
  const sign = numerator < 0n ? -1n : 1n;
  const scaled = sign * numerator * 10n ** BigInt(scale);
  return (sign * (2n * scaled + denominator)) / (2n * denominator);
}

/** Digits that a root that is no fraction has behind the point: cut, it still rounds to the right side at any scale. */
const ROOT_SCALE = 40;

/** Square root, exact where it is a fraction; null below 0. */
export function root({ numerator, denominator }: Rational): Rational | null {
  if (numerator < 0n) return null;
  const scaled = numerator * denominator;
  const whole = integerRoot(scaled);
  if (whole * whole === scaled) return { numerator: whole, denominator };
  const unit = 10n ** BigInt(ROOT_SCALE);
  return { numerator: integerRoot(scaled * unit * unit), denominator: denominator * unit };
}

/** The largest integer whose square is not above the value, by Newton's method from above. */
function integerRoot(value: bigint): bigint {
  if (value === 0n) return 0n;
  let guess = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** An integer at a scale as decimal text: 150 at scale 2 is 1.50. */
export function decimalText(digits: bigint, scale: number): string {
  if (scale === 0) return digits.toString();
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  return `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}
