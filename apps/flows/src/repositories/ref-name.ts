/**
 * Whether git could have a branch or tag of this name (git-check-ref-format), which also rules out all that git would
 * read as an option or as an expression, such as `a..b` or `main@{1}`.
 */
export function isRefName(name: string): boolean {
  if (name === '' || name.startsWith('-') || name.endsWith('.')) return false;
  if (forbidden.test(name) || name.includes('..') || name.includes('@{')) return false;
  return name.split('/').every((part) => {
    return part !== '' && !part.startsWith('.') && !part.endsWith('.lock');
  });
}

/** Control characters, blank and what has a meaning in expressions. */
// oxlint-disable-next-line no-control-regex
const forbidden = /[\0-\x20\x7f~^:?*[\\]/;
