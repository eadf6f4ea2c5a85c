import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { errorOfStatus, KubeError, type KubeStatus } from './kube-error.js';
import type { KubeObject } from './objects.js';

/** One change that a watch tells of. A bookmark carries a resource version only. */
export interface WatchEvent<T extends KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

/** Characters of one event at most; etcd holds no object of that size. */
const maxEventLength = 16 << 20;
const types = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

/**
 * The events of a watch. Ends when the server ends it in good order.
 * @throws {KubeError} what an ERROR event tells (`gone`); `unavailable` for a stream that broke off or cannot be
 *   understood: an event that is skipped would be lost for good
 */
export async function* watchEvents<T extends KubeObject>(
  answer: IncomingMessage,
  onData: () => void,
): AsyncGenerator<WatchEvent<T>> {
  try {
    for await (const line of lines(answer, onData)) yield eventOf<T>(line);
  } catch (error) {
    if (error instanceof KubeError) throw error;
    throw new KubeError('unavailable', 'the watch broke off', { cause: error });
  } finally {
    answer.destroy();
  }
}

async function* lines(answer: AsyncIterable<Buffer>, onData: () => void): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of answer) {
    onData();
    const parts = (rest + decoder.write(chunk)).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > maxEventLength) throw new Error('an event without an end');
    yield* parts.filter((part) => part !== '');
  }
  if (rest !== '') throw new Error('it ended within an event');
}

function eventOf<T extends KubeObject>(line: string): WatchEvent<T> {
  const event = JSON.parse(line) as { type?: string; object?: T & KubeStatus };
  if (event.type === 'ERROR') throw errorOfStatus(event.object?.code ?? 500, event.object ?? {});
  if (!types.has(event.type ?? '') || !event.object?.metadata?.resourceVersion) {
    throw new Error('an event that is none');
  }
  return event as WatchEvent<T>;
}
