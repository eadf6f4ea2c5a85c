import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Logger } from '@glacis/observability';
import { CsrError, type Csr, type CsrAnswer } from '@glacis/pki';
import { coalesce } from '@glacis/runtime';
import type { OnModuleDestroy } from '@nestjs/common';

const program = createRequire(import.meta.url).resolve('@glacis/pki/csr-thread');

/**
 * Reads CSRs in a thread of its own: parsing and verifying is a third of what an issue costs, and no request from
 * outside, whatever is in it, holds up the event loop. Concurrent ones travel together.
 */
export class CsrReader implements OnModuleDestroy {
  private thread: Worker | undefined;

  constructor(private readonly logger: Logger) {}

  /** @throws {CsrError} */
  readonly read: (text: string) => Promise<Csr> = coalesce<string, Csr>(
    (texts) => this.ask(texts),
    {
      maxBatch: 32,
    },
  );

  async onModuleDestroy(): Promise<void> {
    await this.thread?.terminate();
  }

  /** One message at a time, so the next answer is to it. A thread that failed is followed by a new one. */
  private ask(texts: string[]): Promise<(Csr | Error)[]> {
    const thread = (this.thread ??= this.start());
    return new Promise((resolve, reject) => {
      const stopped = (): void => reject(new Error('the thread that reads CSRs has stopped'));
      thread.once('exit', stopped);
      thread.once('message', (answers: CsrAnswer[]) => {
        thread.off('exit', stopped);
        resolve(answers.map(resultOf));
      });
      thread.postMessage(texts);
    });
  }

  private start(): Worker {
    const thread = new Worker(program);
    thread.unref();
    thread.on('error', (err) => this.logger.error({ err }, 'reading of CSRs failed'));
    thread.once('exit', () => (this.thread = undefined));
    return thread;
  }
}

function resultOf(answer: CsrAnswer): Csr | Error {
  if ('code' in answer) return new CsrError(answer.code, answer.message);
  const { subjectDer, spki, evidence } = answer.csr;
  return {
    ...answer.csr,
    subjectDer: Buffer.from(subjectDer),
    spki: Buffer.from(spki),
    evidence: evidence.map((der) => Buffer.from(der)),
  };
}
