const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** True for a URL whose answers may be relied on: https, or http that never leaves the machine. */
export function mayCarryTrust(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname));
}
