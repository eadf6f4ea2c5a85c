import { tokensOf, type Token } from './lexer.js';
import { Refusal, type RefusalCode } from './refusal.js';
import type { Name } from './syntax.js';

/** Deepest nesting of a query (jobs.md 11.2). */
export const MAX_DEPTH = 32;

/** Words that are no names unless quoted. */
const RESERVED = new Set(
  (
    'ALL AND ANY AS ASC BETWEEN BY CASE CROSS DESC DISTINCT ELSE END EXCEPT EXISTS FETCH FROM FULL GROUP HAVING IN ' +
    'INNER INTERSECT IS JOIN LEFT LIKE ILIKE LIMIT NATURAL NOT NULL OFFSET ON OR ORDER OUTER OVER RIGHT SELECT ' +
    'SIMILAR THEN UNION USING WHEN WHERE WINDOW WITH'
  ).split(' '),
);

/** Reads tokens from left to right. */
export class Cursor {
  private readonly tokens: Token[];
  private index = 0;
  private depth = 0;

  constructor(text: string) {
    this.tokens = tokensOf(text);
  }

  /** The token `ahead` of the next one, the last one beyond the end. */
  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.index + ahead, this.tokens.length - 1)];
  }

  next(): Token {
    const token = this.peek();
    this.index += 1;
    return token;
  }

  /** Whether the next token is one of these key words or symbols. */
  is(...values: string[]): boolean {
    const { kind, value } = this.peek();
    return (kind === 'word' || kind === 'symbol') && values.includes(value);
  }

  /** Takes the next token if it is one of these. */
  take(...values: string[]): Token | undefined {
    return this.is(...values) ? this.next() : undefined;
  }

  expect(value: string): Token {
    return this.take(value) ?? this.refuse('syntax', `${value} is expected here`);
  }

  /** Whether a name may begin here. */
  isName(): boolean {
    const { kind, value } = this.peek();
    return kind === 'quoted' || (kind === 'word' && !RESERVED.has(value));
  }

  opensBracket(ahead: number): boolean {
    const { kind, value } = this.peek(ahead);
    return kind === 'symbol' && value === '(';
  }

  name(what: string): Name {
    if (!this.isName()) this.refuse('syntax', `${what} is expected here`);
    const { kind, value, at } = this.next();
    const quoted = kind === 'quoted';
    return { text: quoted ? value : at.token, quoted, at };
  }

  refuse(code: RefusalCode, message: string, at = this.peek().at): never {
    throw new Refusal(code, message, at);
  }

  /** Reads something that may hold itself, at most MAX_DEPTH deep. */
  nested<T>(read: () => T): T {
    this.depth += 1;
    if (this.depth > MAX_DEPTH)
      this.refuse('too_complex', `a query nests at most ${MAX_DEPTH} deep`);
    const result = read();
    this.depth -= 1;
    return result;
  }
}
