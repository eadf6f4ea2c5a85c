import { contentOf, childrenOf, Cursor, readOid, readOnly, type Element } from './der-reader.js';

/**
 * True when two Names (DER) hold the same attributes with the same text, in whichever order and string type: libraries
 * write them anew in forms of their own. Letter case counts.
 * @throws {DerError} when one is no Name
 */
export function sameName(a: Buffer, b: Buffer): boolean {
  const [one, other] = [attributesOf(a), attributesOf(b)];
  return one.length === other.length && one.every((attribute, i) => attribute === other[i]);
}

/** `type=value` of each attribute, sorted. */
function attributesOf(name: Buffer): string[] {
  return childrenOf(name, readOnly(name))
    .flatMap((relativeName) => childrenOf(name, relativeName))
    .map((attribute) => attributeText(name, attribute))
    .toSorted();
}

function attributeText(name: Buffer, attribute: Element): string {
  const fields = new Cursor(name, attribute);
  const type = readOid(contentOf(name, fields.next()));
  return `${type}=${contentOf(name, fields.next()).toString('latin1')}`;
}
