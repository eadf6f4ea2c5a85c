import { newId } from '@glacis/runtime';
import type { LiveStream } from './live-stream.js';

const PATIENCE_MS = 60_000;

/** One kind of question to clients: each stream has one open at most, for a minute at most; the newest counts. */
export class OpenQuestions {
  private readonly open = new Map<LiveStream, { id: string; timer: NodeJS.Timeout }>();

  /** Opens a question and gives the id that its answer will echo. */
  ask(stream: LiveStream): string {
    this.forget(stream);
    const id = newId();
    const timer = setTimeout(() => this.forget(stream), PATIENCE_MS).unref();
    this.open.set(stream, { id, timer });
    void stream.call.over.then(() => this.forget(stream));
    return id;
  }

  /** True when this answers the open question, which is then closed. */
  settle(stream: LiveStream, id: string): boolean {
    if (this.open.get(stream)?.id !== id) return false;
    this.forget(stream);
    return true;
  }

  private forget(stream: LiveStream): void {
    clearTimeout(this.open.get(stream)?.timer);
    this.open.delete(stream);
  }
}
