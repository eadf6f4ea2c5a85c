const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Below, at or above 0 as quantity `a` is less, equal or more than `b`. Both are quantities of the Kubernetes API. */
export function compareQuantities(a: string, b: string): number {
  return valueOf(a) - valueOf(b);
}

function valueOf(text: string): number {
  const [, digits = '', unit = ''] = /^\+?([\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(text) ?? [];
  return Number(digits) * (factors[unit] ?? Number.NaN);
}
