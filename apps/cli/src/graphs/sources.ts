import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { readText } from '@glacis/runtime';
import { parse } from 'yaml';
import { UsageError } from '../client.js';

export type JsonMap = Record<string, unknown>;

export const isMap = (value: unknown): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Bytes of a file or page at most, and milliseconds for a page. */
const limits = { bytes: 16 << 20, ms: 30_000 };

/** The YAML or JSON of a file, of a URL, or of standard input for `-`. @throws {UsageError} naming the source */
export async function readYaml(source: string): Promise<unknown> {
  const content = await readSource(source);
  try {
    return parse(content);
  } catch (error) {
    throw new UsageError(`${source}: ${(error as Error).message}`, { cause: error });
  }
}

async function readSource(source: string): Promise<string> {
  if (/^https?:\/\//i.test(source)) return fetchText(source);
  try {
    return source === '-' ? await text(process.stdin) : await readFile(source, 'utf8');
  } catch (error) {
    throw new UsageError(`${source}: ${(error as Error).message}`, { cause: error });
  }
}

/** The text of a page; user and password of the URL go as Basic authentication. @throws {UsageError} */
export async function fetchText(address: string): Promise<string> {
  if (!URL.canParse(address)) throw new UsageError(`'${address}' is no URL`);
  const url = new URL(address);
  const credentials = [url.username, url.password].map(decodeURIComponent).join(':');
  const headers: Record<string, string> = {};
  if (credentials !== ':') {
    headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`;
  }
  Object.assign(url, { username: '', password: '' });
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(limits.ms) });
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    const content = await readText(response, limits.bytes);
    if (content === undefined) throw new Error(`over ${limits.bytes} bytes`);
    return content;
  } catch (error) {
    throw new UsageError(`${url.href}: ${(error as Error).message}`, { cause: error });
  }
}
