import { concat, sha256, utf8, type Bytes } from '../crypto/bytes.js';
import { ShareFileError, type PartyCount, type ShareFile, type ShareFormat } from './file.js';
import { headerFits } from './header.js';

/** `application/vnd.glacis.shares` */
export const BINARY_TYPE = 'application/vnd.glacis.shares';

const MAGIC = utf8('GSHR');
const VERSION = 1;
const HEAD_BYTES = 16;
const DIGEST_BYTES = 32;
/** Far more than 64 columns of 64 characters take. */
const MAX_HEADER_BYTES = 1_048_576;

/** What a binary file says of itself. */
export interface BinaryOrigin {
  party: number;
  parties: PartyCount;
  /** Number of the upload set. */
  set: number;
}

export const isBinary = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte);

/** A share file in binary form (jobs.md 7.2): about a third of the bytes of CSV. */
export async function writeBinary(file: ShareFile, origin: BinaryOrigin): Promise<Bytes> {
  const header = utf8(JSON.stringify({ columns: [...file.columns.keys()], set: origin.set }));
  const head = new Uint8Array(HEAD_BYTES);
  head.set(MAGIC);
  head.set([VERSION, origin.parties, origin.party], 4);
  const view = new DataView(head.buffer);
  view.setUint32(8, file.rows, true);
  view.setUint32(12, header.length, true);
  const body = concat(head, header, ...[...file.columns.values()].map(wordBytes));
  return concat(body, await sha256(body));
}

/** Words as bytes, least significant first, which is the order of every host that runs this. */
export const wordBytes = (words: Int32Array): Uint8Array =>
  new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

const badFile = (message: string): ShareFileError => new ShareFileError('bad_file', message);

/** @throws ShareFileError */
export async function readBinary(
  bytes: Uint8Array,
  format: ShareFormat,
  maxRows: number,
): Promise<ShareFile> {
  const { rows, headerBytes } = headOf(bytes, format);
  const columns = columnsOf(bytes.subarray(HEAD_BYTES, HEAD_BYTES + headerBytes));
  if (!headerFits(columns, format))
    throw new ShareFileError('header_mismatch', 'the header is not that of the job');
  if (rows > maxRows) throw new ShareFileError('too_many_rows', `there are over ${maxRows} rows`);
  const start = HEAD_BYTES + headerBytes;
  const end = start + columns.length * rows * 4;
  if (bytes.length !== end + DIGEST_BYTES) throw badFile('the file is cut or too long');
  const digest = await sha256(bytes.subarray(0, end));
  if (digest.some((byte, i) => bytes[end + i] !== byte)) throw badFile('the file was changed');
  const words = (index: number): Int32Array =>
    new Int32Array(bytes.slice(start + index * rows * 4, start + (index + 1) * rows * 4).buffer);
  return { rows, columns: new Map(columns.map((name, index) => [name, words(index)])) };
}

function headOf(
  bytes: Uint8Array,
  { parties = 3 }: ShareFormat,
): { rows: number; headerBytes: number } {
  if (bytes.length < HEAD_BYTES) throw badFile('the file is cut');
  const [version, count, party, flags] = bytes.subarray(4, 8);
  if (version !== VERSION || flags !== 0) throw badFile('the file is of another version');
  if (count !== parties || party >= parties) throw badFile('the file is of another job');
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES);
  const rows = view.getUint32(8, true);
  const headerBytes = view.getUint32(12, true);
  if (rows === 0) throw badFile('the file has no row');
  if (headerBytes > MAX_HEADER_BYTES) throw badFile('the header is too long');
  return { rows, headerBytes };
}

function columnsOf(header: Uint8Array): string[] {
  try {
    const { columns } = JSON.parse(new TextDecoder().decode(header)) as { columns: unknown };
    if (Array.isArray(columns) && columns.every((name) => typeof name === 'string')) return columns;
  } catch {
    // Told below.
  }
  throw badFile('the header is no list of columns');
}
