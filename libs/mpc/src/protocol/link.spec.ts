import { parties, random, reveal, share, words } from '../../test/three.js';
import { run, together, type Link } from './link.js';
import { andWords, multiply } from './products.js';

/** One direction between two parties: words in order, whatever pieces they were sent in. */
class Pipe {
  private readonly words: number[] = [];
  private wake: () => void = () => undefined;

  push(words: Int32Array): void {
    this.words.push(...words);
    this.wake();
  }

  async pull(length: number): Promise<Int32Array> {
    while (this.words.length < length) await new Promise<void>((done) => (this.wake = done));
    return Int32Array.from(this.words.splice(0, length));
  }
}

/** Three links in a ring; a message goes out in pieces, as frames do. */
function ring(): Link[] {
  const up = [0, 1, 2].map(() => new Pipe());
  const down = [0, 1, 2].map(() => new Pipe());
  return [0, 1, 2].map((i) => ({
    send: async (to, sent) => {
      const pipe = to === 'next' ? up[i] : down[i];
      pipe.push(sent.slice(0, 5));
      await Promise.resolve();
      pipe.push(sent.slice(5));
    },
    receive: (from, length) =>
      (from === 'previous' ? up[(i + 2) % 3] : down[(i + 1) % 3]).pull(length),
  }));
}

it('three parties run over links of their own, two steps sharing each round', async () => {
  const next = random(1);
  const [x, y] = [words(40, next), words(40, next)];
  const [a, b] = [share('arithmetic', x, next), share('boolean', y, next)];
  const links = ring();
  const results = await Promise.all(
    parties(1).map((party, i) =>
      run(together(multiply(party, a[i], a[i]), andWords(party, b[i], b[i])), links[i]),
    ),
  );
  expect(
    reveal(
      'arithmetic',
      results.map(([square]) => square),
    ),
  ).toEqual(x.map((word) => Math.imul(word, word)));
  expect(
    reveal(
      'boolean',
      results.map(([, same]) => same),
    ),
  ).toEqual(y);
});
