/** Which account an address is of: its host, and with stand-ins the path. */
export function accountAt(endpoint: string): string {
  const { host, pathname } = new URL(endpoint);
  return `${host}${pathname}`;
}
