/** Of the form `application/vnd.glacis.sealed` (jobs.md 6.3): head, and what a frame adds to its plain bytes. */
const [head, frame, added] = [6 + 32, 65_536, 4 + 16];

/** Length of so many bytes once they are sealed. */
export function sealedLength(plain: number): number {
  return head + plain + added * Math.max(1, Math.ceil(plain / frame));
}

/** How many bytes were sealed into an object of this length. */
export function plainLength(sealed: number): number {
  const frames = sealed - head;
  return Math.max(0, frames - added * Math.ceil(frames / (frame + added)));
}
