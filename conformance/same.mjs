/** Whether two values say the same: order of keys aside; where the record has a placeholder, any text will do. */
export function same(recorded, ours) {
  if (typeof recorded === 'string' && recorded.includes('<')) return typeof ours === 'string';
  if (!isObject(recorded) || !isObject(ours)) return Object.is(recorded, ours);
  if (Array.isArray(recorded) !== Array.isArray(ours)) return false;
  return keysOf(recorded, ours).every((key) => same(own(recorded, key), own(ours, key)));
}

/** Both values without what they have in common. */
export function parted(recorded, ours) {
  if (!isObject(recorded) || !isObject(ours)) return [recorded, ours];
  if (recorded.length !== ours.length) return [recorded, ours];
  const differing = keysOf(recorded, ours)
    .map((key) => [key, own(recorded, key), own(ours, key)])
    .filter(([, was, is]) => !same(was, is))
    .map(([key, was, is]) => [key, ...parted(was, is)]);
  return [1, 2].map((side) => Object.fromEntries(differing.map((each) => [each[0], each[side]])));
}

/** Warnings and the causes of a refusal are of Glacis (3.1, 5.2): what was recorded has none. */
function keysOf(recorded, ours) {
  const added = ['details', 'warnings'].filter((key) => !Object.hasOwn(recorded, key));
  return [...new Set([...Object.keys(recorded), ...Object.keys(ours)])].filter(
    (key) => !added.includes(key),
  );
}

const own = (value, key) => (Object.hasOwn(value, key) ? value[key] : undefined);

const isObject = (value) => typeof value === 'object' && value !== null;

/** Whether the input has the shape; one that is too odd to be asked has none. */
export function holds(shape, input) {
  try {
    return Boolean(shape(input));
  } catch {
    return false;
  }
}
