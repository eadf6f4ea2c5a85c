/** Part of the life of a certificate after which it is renewed, and the share of that life by which chance moves it. */
const part = 2 / 3;
const jitter = 0.05;

export interface Validity {
  from: Date;
  to: Date;
}

/** Milliseconds between two renewals at least, wherever the clock of this host stands. */
export const renewalGap = (validity: Validity): number => jitter * lifeOf(validity);

/**
 * When a certificate is to be renewed, so that hosts enrolled together do not come back together.
 * @param chance 0 to 1, the same for one certificate
 */
export function renewalTime(validity: Validity, chance: number): Date {
  const moved = part + jitter * (2 * chance - 1);
  return new Date(validity.from.getTime() + lifeOf(validity) * moved);
}

const lifeOf = ({ from, to }: Validity): number => to.getTime() - from.getTime();
