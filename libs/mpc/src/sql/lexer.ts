import { Refusal, type Position } from './refusal.js';

export type TokenKind = 'word' | 'quoted' | 'number' | 'text' | 'symbol' | 'end';

export interface Token {
  kind: TokenKind;
  /** Words in upper case, quoted names and texts without their quotes, everything else as written. */
  value: string;
  at: Position;
}

/** Most tokens of a query (jobs.md 11.2). */
export const MAX_TOKENS = 2000;

const SPACE = /\s+/y;
const FORMS: readonly [TokenKind, RegExp][] = [
  ['word', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['number', /\d+(?:\.\d+)?/y],
  ['text', /'(?:[^']|'')*'/y],
  ['quoted', /"(?:[^"]|"")+"|`(?:[^`]|``)+`/y],
  ['symbol', /--|\/\*|<>|!=|<=|>=|[()+\-*/,.;=<>]/y],
];
const WORD_AFTER_NUMBER = /[\p{L}_]/uy;

const matchAt = (pattern: RegExp, text: string, offset: number): string => {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0] ?? '';
};

const unquoted = (written: string): string => {
  const quote = written[0];
  return written.slice(1, -1).replaceAll(quote + quote, quote);
};

const valueOf = (kind: TokenKind, written: string): string => {
  if (kind === 'word') return written.toUpperCase();
  return kind === 'text' || kind === 'quoted' ? unquoted(written) : written;
};

/** Keeps line and column while the text is walked from left to right. */
class Lines {
  private line = 1;
  private begin = 0;

  constructor(private readonly text: string) {}

  /** @param offset not before the `end` of the last `pass`. */
  at(offset: number, token: string): Position {
    return { offset, line: this.line, column: offset - this.begin + 1, token };
  }

  pass(from: number, end: number): void {
    for (let at = this.text.indexOf('\n', from); at >= 0 && at < end;) {
      this.line += 1;
      this.begin = at + 1;
      at = this.text.indexOf('\n', this.begin);
    }
  }
}

function readToken(text: string, offset: number, lines: Lines): Token {
  for (const [kind, pattern] of FORMS) {
    const written = matchAt(pattern, text, offset);
    if (written === '') continue;
    const at = lines.at(offset, written);
    if (kind === 'symbol' && (written === '--' || written === '/*'))
      throw new Refusal('syntax', 'comments are not part of the subset', at);
    if (kind === 'number' && matchAt(WORD_AFTER_NUMBER, text, offset + written.length) !== '')
      throw new Refusal('syntax', 'a number ends in a letter', at);
    return { kind, value: valueOf(kind, written), at };
  }
  const token = String.fromCodePoint(text.codePointAt(offset) ?? 0);
  const opens = /['"`]/.test(token);
  throw new Refusal(
    'syntax',
    opens ? 'a quote is not closed, or nothing stands in it' : 'no token begins like this',
    lines.at(offset, token),
  );
}

/**
 * The tokens of a query and one of kind `end` behind them.
 * @throws Refusal `syntax`, or `too_complex` over MAX_TOKENS.
 */
export function tokensOf(text: string): Token[] {
  const lines = new Lines(text);
  const tokens: Token[] = [];
  let offset = 0;
  const skip = (length: number): void => {
    lines.pass(offset, offset + length);
    offset += length;
  };
  for (;;) {
    skip(matchAt(SPACE, text, offset).length);
    if (offset >= text.length) break;
    const token = readToken(text, offset, lines);
    if (tokens.length === MAX_TOKENS)
      throw new Refusal('too_complex', `a query has at most ${MAX_TOKENS} tokens`, token.at);
    tokens.push(token);
    skip(token.at.token.length);
  }
  tokens.push({ kind: 'end', value: '', at: lines.at(offset, '') });
  return tokens;
}
