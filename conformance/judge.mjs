// Compares what is recorded with what came out. A difference is right where a rule asks for it: stricter.json names the
// rule and the shape that the input must have; shapes/ says what that shape is, without a look at the rules' code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parted, same } from './same.mjs';
import { corrections } from './shapes/corrections.mjs';
import { asVerdicts, codeRules } from './verdicts.mjs';

const { verdicts, answers } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'stricter.json'), 'utf8'),
);

/** `result` and, unless the case passed as it is recorded, the line for people. */
export function judge(each) {
  const { id, form, recorded, ours } = each;
  if (same(recorded, ours)) return { result: 'passed' };
  const [was, is] = parted(recorded, ours).map((value) => shortened(JSON.stringify(value)));
  const line = `${id}: recorded ${was}, ours ${is}`;
  const rules = form === 'validation' ? codeRules(verdicts, each) : answerRules(each);
  return rules.length === 0
    ? { result: 'failed', line: `failed    ${line}` }
    : { result: 'stricter', line: `stricter  ${line}, by ${rules.join(', ')}` };
}

/** Answers of webhooks and merged pods: the record, corrected by listed rules, is what came out. */
function answerRules({ form, input, recorded, ours }) {
  const rules = [];
  let corrected = recorded;
  if (form === 'admission') {
    const codes = codeRules(verdicts, asVerdicts(input, recorded, ours));
    if (codes.length > 0) corrected = corrections['a refusal'].correct(recorded, input);
    rules.push(...codes);
  }
  for (const { rule, shape } of answers.filter((entry) => entry.form === form)) {
    if (!corrections[shape].fits(input)) continue;
    const before = corrected;
    corrected = corrections[shape].correct(structuredClone(before), input);
    if (!same(before, corrected)) rules.push(`${rule} (${shape})`);
  }
  return same(corrected, ours) ? rules : [];
}

function shortened(text = 'nothing') {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
