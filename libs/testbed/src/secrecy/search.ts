/** What a secret of the suite looks like, whatever its value. */
const shapes: Readonly<Record<string, RegExp>> = {
  'a token': /\bey[\w-]{8,}\.ey[\w-]{8,}\.[\w-]{20,}/,
  'a signed link': /(?:\bX-(?:Glacis|Amz|Goog)-Signature|[?&]sig)=[\w%+/-]{16,}/i,
  'a claim': /[#?&]claim=[\w-]{20,}/,
  'a private key': /PRIVATE KEY-----(?:\\n|\s)*[\w+/]{32,}/,
  'a secret that a program printed': /secret in the output of a program/,
};

/** Characters of what went before that are looked at with the next piece: what was cut in two is found. */
const overlap = 4096;

/** Looks through a stream of text, piece by piece, for what has the shape of a secret (`jobs.md` 12). */
export class SecretSearch {
  /** Told of already. */
  private readonly found = new Set<string>();
  private before = '';

  /** @param tell is told what was found, each kind once and never its value */
  constructor(private readonly tell: (kind: string) => void) {}

  add(piece: string | Uint8Array): void {
    const text = this.before + Buffer.from(piece).toString('latin1');
    this.before = text.slice(-overlap);
    for (const [kind, shape] of Object.entries(shapes)) {
      if (this.found.has(kind) || !shape.test(text)) continue;
      this.found.add(kind);
      this.tell(kind);
    }
  }
}
