import type { JobsApi } from '@glacis/shares';
import { jobPath } from './calls.js';

/** An event of a job (jobs.md 3, SSE). */
export interface JobEvent {
  id: string;
  event: string;
  data: Record<string, unknown>;
}

/** Time after which a broken stream is read on, in ms. */
const AGAIN_MS = 1000;

/**
 * Events of a job from the first on, without gap or repeat, until it has ended; a stream that breaks off is read on from
 * the last event.
 */
export async function* follow(api: JobsApi, jobId: string): AsyncGenerator<JobEvent> {
  let last: JobEvent | undefined;
  while (last?.event !== 'end') {
    if (last) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    for await (const event of streamed(api, jobId, last?.id)) {
      last = event;
      yield event;
    }
  }
}

/** One stream, up to its end or to where it breaks off. */
async function* streamed(api: JobsApi, jobId: string, after = '0'): AsyncGenerator<JobEvent> {
  const headers = { accept: 'text/event-stream', 'last-event-id': after };
  const { body } = await api.request(jobPath(jobId, 'events'), {}, headers);
  try {
    if (body) yield* parse(body);
  } catch (error) {
    // What `fetch` throws when a connection breaks.
    if ((error as Error).name !== 'TypeError') throw error;
  }
}

/** The events of a stream (WHATWG HTML 9.2); comments and fields that are not used are passed over. */
async function* parse(body: ReadableStream<Uint8Array>): AsyncGenerator<JobEvent> {
  let fields: Record<string, string> = {};
  for await (const line of linesOf(body)) {
    if (line === '') {
      const { id = '', event = 'message', data } = fields;
      if (data !== undefined)
        yield { id, event, data: JSON.parse(data) as Record<string, unknown> };
      fields = {};
    }
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) fields[name] = value;
  }
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split(/\r?\n/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
