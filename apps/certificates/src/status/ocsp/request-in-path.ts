const prefix = '/certs/ocsp';

/**
 * The OCSP request in a request target: the path after `/certs/ocsp`, without one leading slash, percent-decoded once,
 * a space read as `+`. Slashes inside are data. Null when it is no base64.
 */
export function requestInPath(target: string): Buffer | null {
  const start = target.indexOf(prefix) + prefix.length;
  const [path = ''] = target.slice(start).split('?', 1);
  const text = decoded(path.startsWith('/') ? path.slice(1) : path)?.replaceAll(' ', '+');
  if (text === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  return Buffer.from(text, 'base64');
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
