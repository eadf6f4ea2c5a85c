import { zipSync } from 'fflate';

/** A zip of text files in the order given. Stored, not compressed: keys and certificates are mostly random. */
export function zipOf(files: Record<string, string | null>, mtime: Date): Buffer {
  const entries = Object.entries(files).flatMap(([name, text]) =>
    text === null ? [] : [[name, Buffer.from(text)] as const],
  );
  return Buffer.from(zipSync(Object.fromEntries(entries), { level: 0, mtime }));
}
