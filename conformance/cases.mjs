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
import { holds } from './same.mjs';

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

/** What cannot be read or run is a case that fails. */
export async function* readCases(file) {
  let inputs;
  try {
    inputs = listed(parsed(file));
  } catch (error) {
    yield { id: file, form: 'unknown', recorded: 'cases', ours: String(error) };
    return;
  }
  for (const [index, input] of inputs.entries()) {
    const form = Object.keys(FORMS).find((name) => holds(FORMS[name].fits, input)) ?? 'unknown';
    const id = input?.id ?? input?.metadata?.name ?? `${form}-${index}`;
    yield { id, form, input, ...(await compared(form, input, file)) };
  }
}

async function compared(form, input, file) {
  if (form === 'unknown') return { recorded: 'a case', ours: 'no known form' };
  try {
    return await FORMS[form].run(input, file);
  } catch (error) {
    return { recorded: 'an answer', ours: String(error) };
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
