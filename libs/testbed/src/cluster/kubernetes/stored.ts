/** What etcd holds under one key: of most resources protobuf, of custom ones JSON. */
export interface StoredValue {
  /** Such as `/registry/secrets/default/name`. */
  key: string;
  value: Buffer;
}

/**
 * Everything below a prefix, by the JSON gateway of etcd's `KV.Range`.
 * @throws {Error} when etcd does not answer
 */
export async function readStored(etcdUrl: string, prefix: string): Promise<StoredValue[]> {
  const key = Buffer.from(prefix);
  // After all keys that begin with it, as no text in UTF-8 has this byte.
  const end = Buffer.concat([key, Buffer.of(0xff)]);
  const answer = await fetch(`${etcdUrl}/v3/kv/range`, {
    method: 'POST',
    body: JSON.stringify({ key: key.toString('base64'), range_end: end.toString('base64') }),
  });
  if (!answer.ok) throw new Error(`etcd answers ${answer.status}: ${await answer.text()}`);
  const { kvs = [] } = (await answer.json()) as { kvs?: { key: string; value: string }[] };
  return kvs.map((each) => ({
    key: Buffer.from(each.key, 'base64').toString(),
    value: Buffer.from(each.value, 'base64'),
  }));
}
