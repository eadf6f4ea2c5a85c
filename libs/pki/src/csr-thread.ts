// The program of a worker thread (`@glacis/pki/csr-thread`) that reads requests: a message is an array of their texts,
// its answer an array of `CsrAnswer` in the same order.
import { parentPort } from 'node:worker_threads';
import { CsrError, readCsr, type Csr } from './csr.js';

/** What became of one request. Bytes arrive as `Uint8Array`, as every message between threads has them. */
export type CsrAnswer = { csr: Csr } | { code: CsrError['code']; message: string };

function answer(text: string): CsrAnswer {
  try {
    return { csr: readCsr(text) };
  } catch (error) {
    if (!(error instanceof CsrError)) throw error;
    return { code: error.code, message: error.message };
  }
}

parentPort?.on('message', (texts: string[]) => parentPort?.postMessage(texts.map(answer)));
