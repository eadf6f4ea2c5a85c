/** Something planted that nobody may print, or keep outside its place. */
export interface Secret {
  /** What it is; findings name this, never the value. */
  kind: string;
  /** A number is looked for as its decimal text, everything else in all forms of {@link formsOf}. */
  value: string | Buffer | number;
  /** Names of the places where it may lie. Default none. */
  at?: RegExp;
}

/** What somebody printed or keeps, by the name of the place. Bytes are `latin1`. */
export type Places = ReadonlyMap<string, string>;

/** `place: kind`, sorted, each once. */
export function leaksIn(places: Places, secrets: readonly Secret[]): string[] {
  return findings(places, secrets, (secret, place) => secret.at?.test(place) !== true);
}

/** Where secrets lie that may lie there: a search that finds nothing anywhere proves nothing. */
export function keptIn(places: Places, secrets: readonly Secret[]): string[] {
  return findings(places, secrets, (secret, place) => secret.at?.test(place) === true);
}

function findings(
  places: Places,
  secrets: readonly Secret[],
  counts: (secret: Secret, place: string) => boolean,
): string[] {
  const found = new Set<string>();
  for (const secret of secrets) {
    const forms = formsOf(secret.value);
    for (const [place, text] of places) {
      const finding = `${place}: ${secret.kind}`;
      if (found.has(finding) || !counts(secret, place)) continue;
      if (forms.some((form) => stands(form, text))) found.add(finding);
    }
  }
  return [...found].toSorted();
}

/** As it is, in JSON, in a URL, in hex, and in base64 wherever in a longer text it begins. */
export function formsOf(value: Secret['value']): string[] {
  if (typeof value === 'number') return [String(value)];
  const bytes = Buffer.from(value);
  const hex = bytes.toString('hex');
  const forms = [bytes.toString('latin1'), hex, hex.toUpperCase(), ...base64FormsOf(bytes)];
  if (typeof value === 'string')
    forms.push(value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value));
  return [...new Set(forms)];
}

/** Three bytes are four characters, so one of three cuts stands in any base64 of a text that has these bytes. */
function base64FormsOf(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((cut) => {
    const whole = Math.floor((bytes.length - cut) / 3) * 3;
    const part = bytes.subarray(cut, cut + whole);
    return [part.toString('base64'), part.toString('base64url')];
  });
}

/** A number stands alone: digits within longer ones, or within a digest, are something else. */
function stands(form: string, text: string): boolean {
  const isNumber = /^-?\d+$/.test(form);
  for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) {
    if (!isNumber) return true;
    const around = [text[at - 1] ?? '', text[at + form.length] ?? ''];
    if (!around.some((character) => /\w/.test(character))) return true;
  }
  return false;
}
