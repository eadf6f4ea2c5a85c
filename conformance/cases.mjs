// Finds out which form a file or a case has, and runs it. A case that ran: {id, form, input, recorded, ours}.
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import * as admission from './forms/admission.mjs';
import * as connectivity from './forms/connectivity.mjs';
import * as conversion from './forms/conversion.mjs';
import * as health from './forms/health.mjs';
import * as manifest from './forms/manifest.mjs';
import * as merge from './forms/merge.mjs';
import * as units from './forms/units.mjs';
import * as validation from './forms/validation.mjs';

/** Each has `fits(case)` and `run(case, file)`, which gives what is to be compared. */
const FORMS = {
  admission,
  conversion,
  merge,
  health,
  validation,
  connectivity,
  manifest,
  ...units.forms,
};

export async function* readCases(file) {
  for (const [index, input] of listed(parsed(file)).entries()) {
    const form = Object.keys(FORMS).find((name) => FORMS[name].fits(input));
    const id = input.id ?? input.metadata?.name ?? `${form}-${index}`;
    const compared = form
      ? await FORMS[form].run(input, file)
      : { recorded: 'a case', ours: 'no known form' };
    yield { id, form, input, ...compared };
  }
}

function parsed(file) {
  const text = readFileSync(file, 'utf8');
  if (!/\.ya?ml$/.test(file)) return JSON.parse(text);
  return parseAllDocuments(text).map((document) => document.toJS());
}

/** A list of cases; or an object of lists, each of which says by its name what its items are. */
function listed(document) {
  if (Array.isArray(document)) return document;
  return Object.entries(document).flatMap(([name, value]) =>
    Array.isArray(value) ? value.map((item) => units.named(name, item)) : units.single(name, value),
  );
}
