// Compares what is recorded with what came out. A difference is right where a rule asks for it: stricter.json names the
// rule and the shape that the input must have; shapes/ says what that shape is, without a look at the rules' code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { holds, parted, same } from './same.mjs';
import { answerShapes } from './shapes/answers.mjs';
import { references } from './shapes/references.mjs';
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

/** Answers of webhooks and merged pods: a listed shape fits, and what came out is what the contract asks for. */
function answerRules({ form, input, recorded, ours }) {
  const fitting = answers.filter(
    (entry) => entry.form === form && holds(answerShapes[entry.shape], input),
  );
  const codes = form === 'admission' ? codeRules(verdicts, asVerdicts(input, recorded, ours)) : [];
  const rules = [...codes, ...fitting.map(({ rule, shape }) => `${rule} (${shape})`)];
  const isRight = (each) => same(references[form](each, codes.length === 0), ours);
  return holds(isRight, input) ? rules : [];
}

function shortened(text = 'nothing') {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
