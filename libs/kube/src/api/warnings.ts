/** `299 - "text"`: code, agent, quoted text (RFC 7234, 5.5); several of them may share a line. */
const warning = /(?:^|,)\s*299 \S+ "((?:[^"\\]|\\.)*)"/g;

/** Texts of the header lines `Warning` by which the API server tells of what it has taken all the same. */
export function warningsIn(lines: readonly string[] = []): string[] {
  return lines.flatMap((line) =>
    [...line.matchAll(warning)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1')),
  );
}
