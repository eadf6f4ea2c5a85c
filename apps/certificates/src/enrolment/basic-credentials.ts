/** User and password of HTTP Basic (RFC 7617); both empty where the header is none. */
export function basicCredentials(header: string | undefined): { user: string; password: string } {
  const [, encoded = ''] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header ?? '') ?? [];
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return { user: '', password: '' };
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
