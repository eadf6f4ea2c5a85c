/** Reasons that a revocation may name (RFC 5280 5.3.1; `certificates.md` 4). */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;

/** The key is stolen: it is never certified again. */
export const keyCompromise = revocationReasons.keyCompromise;

/** What stands on every leaf of an issuer whose key is compromised; no request may name it. */
export const caCompromise = 2;

type RequestedReason = keyof typeof revocationReasons;
export type ReasonName = RequestedReason | 'cACompromise';

const names = Object.keys(revocationReasons) as RequestedReason[];

/** The code of a reason given by name or number; null when it is not allowed here. */
export function reasonCode(reason: string | number): number | null {
  const name = names.find(
    (name) => name === reason || String(revocationReasons[name]) === String(reason),
  );
  return name === undefined ? null : revocationReasons[name];
}

export function reasonName(code: number): ReasonName {
  if (code === caCompromise) return 'cACompromise';
  return names.find((name) => revocationReasons[name] === code) ?? 'unspecified';
}
