import { waitFor } from '@glacis/runtime';
import { randomUUID } from 'node:crypto';
import { Api } from '../src/demo/api.js';

/** Milliseconds after which a write counts as refused: a pod that is gone closes no connection. */
const limitMs = 5_000;

/** Enrols hosts one after the other, whatever happens to the suite meanwhile, and knows what it was told. */
export class Writer {
  /** How often the suite said that it did not, or did not say. */
  refused = 0;
  private readonly ids: string[] = [];
  private stopped = false;
  private readonly run: Promise<void>;
  private readonly api: Api;

  constructor({ door, token }: Api) {
    this.api = new Api(door, token, limitMs);
    this.run = this.write();
  }

  get written(): number {
    return this.ids.length;
  }

  /** Resolves when so many more writes have been acknowledged. */
  async acknowledged(count: number): Promise<void> {
    const enough = this.written + count;
    const deadlineMs = 180_000;
    await waitFor(() => this.written >= enough, { deadlineMs, what: `${count} writes` });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.run;
  }

  /** The acknowledged writes of which the suite says that they are not there. */
  async lost(): Promise<string[]> {
    const missing: string[] = [];
    for (const id of this.ids) {
      const options = { deadlineMs: 60_000, what: `an answer about ${id}` };
      if ((await waitFor(() => this.find(id), options)) === 'lost') missing.push(id);
    }
    return missing;
  }

  private find(id: string): Promise<'there' | 'lost'> {
    return this.api.call('GET', `/backends/${id}`).then(
      () => 'there',
      (error: Error) => {
        if (error.message.includes(': 404 ')) return 'lost';
        throw error;
      },
    );
  }

  private async write(): Promise<void> {
    while (!this.stopped) {
      try {
        const reply = await this.api.call('POST', '/backends', { name: randomUUID() });
        this.ids.push((reply.headers.get('location') ?? '').slice('/backends/'.length));
      } catch {
        this.refused += 1;
      }
    }
  }
}
