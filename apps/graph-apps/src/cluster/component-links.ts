/** Component and paths out of `status.endpointPaths`, which is JSON text; what cannot be read has none. */
export function componentLinks(
  endpointPaths: unknown,
): { component: string; endpoints: string[] }[] {
  return Object.entries(objectIn(endpointPaths))
    .map(([component, paths]) => ({ component, endpoints: textsIn(paths) }))
    .toSorted((a, b) => (a.component < b.component ? -1 : 1));
}

function objectIn(text: unknown): object {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
