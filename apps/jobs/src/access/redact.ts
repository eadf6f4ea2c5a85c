/** An SQL text without its literals (`jobs.md` 12): numbers and texts are shown as `?`; quoted names stay. */
export function redactSql(sql: string): string {
  return sql.replaceAll(
    /("[^"]*"|`[^`]*`)|'(?:[^']|'')*'?|\b\d[\w.]*/g,
    (_, name?: string) => name ?? '?',
  );
}

/** A line of a log without what may not stand in one: queries of links, tokens, keys. */
export function redactText(text: string): string {
  return text
    .replaceAll(/(\/storage\/[^\s?"']*|https?:\/\/[^\s?"']*)\?[^\s"']*/gi, '$1?…')
    .replaceAll(/\bey[\w-]+\.[\w-]+\.[\w-]+/g, '[token]')
    .replaceAll(/(?<![\w-])[\w-]{43}(?![\w-])/g, '[key]');
}
