import { isBinary, readBinary } from './binary.js';
import { readCsv } from './csv-read.js';
import type { ShareFile, ShareFormat } from './file.js';

/**
 * Reads the share file of one party in either form, told by its first bytes (jobs.md 7.2).
 * @param maxRows `jobs.engine.maxRows`
 * @throws ShareFileError with the first fault
 */
export async function readShareFile(
  bytes: Uint8Array,
  format: ShareFormat,
  maxRows: number,
): Promise<ShareFile> {
  return isBinary(bytes) ? readBinary(bytes, format, maxRows) : readCsv(bytes, format, maxRows);
}
