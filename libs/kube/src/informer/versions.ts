/**
 * Order of two resource versions of one resource: negative, 0 or positive. They are decimal numbers that only grow
 * (Kubernetes API concepts, "Resource versions"); one that is not is taken for newer, as nothing is known of it.
 */
export function compareVersions(one: string, other: string): number {
  if (one === other) return 0;
  if (!isNumber(one) || !isNumber(other)) return 1;
  if (one.length !== other.length) return one.length - other.length;
  return one < other ? -1 : 1;
}

const isNumber = (text: string): boolean => /^[1-9]\d*$/.test(text);
