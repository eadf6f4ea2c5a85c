/** What tells one content of `spec.graph` from another (graph-apps.md 6.6): 32 hex digits. */
export function hashOf(_graph: unknown): string {
  throw new Error('not yet');
}
