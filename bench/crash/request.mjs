/** One request to a door, in JSON, given up after 10 s. Whatever its status, the answer as it came. */
export async function request({ door, token }, method, path, { body, key }) {
  const response = await fetch(door + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body && { 'content-type': 'application/json' }),
      ...(key && { 'idempotency-key': key }),
    },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  return {
    status: response.status,
    location: response.headers.get('location'),
    text: await response.text(),
  };
}
