// Whether other codes than the recorded ones are what the rules ask for.
import { ruleStage } from '../libs/graphs/dist/index.js';
import { holds, same } from './same.mjs';
import { shapes } from './shapes/graphs.mjs';

/** Names of the rules that explain every difference; none where one is left. */
export function codeRules(entries, { input, recorded, ours }) {
  const fitting = entries.filter(({ shape }) => holds(shapes[shape], input));
  const explained = ['admission', 'controller'].map((who) =>
    explain(fitting, codesOf(recorded, who), codesOf(ours, who)),
  );
  if (explained.includes(null) || !same(rest(recorded, ours), rest(ours, ours))) return [];
  return [...new Set(explained.flat())];
}

/** A recorded crash counts as a code of its own. */
function codesOf(outcome, who) {
  const verdict = outcome[who];
  if (verdict === undefined || verdict === 'allow') return [];
  return verdict === 'deny' ? (outcome[`${who}Codes`] ?? []) : ['crash'];
}

function explain(fitting, recorded, ours) {
  const further = ours.filter((code) => !recorded.includes(code));
  const missing = recorded.filter((code) => !ours.includes(code));
  const denied = further.map((code) => denying(fitting, code, { recorded, ours }));
  const accepted = missing.map((code) => accepting(fitting, code, further));
  return [...denied, ...accepted].includes(null) ? null : [...denied, ...accepted];
}

/** A code that was not recorded: it is listed, or its stage gathers what Rampart left unsaid after the first error. */
function denying(fitting, code, { recorded, ours }) {
  const entry = fitting.find(({ rule, accepts }) => rule === code && !accepts);
  if (entry) return `${entry.rule} (${entry.shape})`;
  const both = recorded.filter((other) => ours.includes(other));
  return both.some((other) => ruleStage(other) === ruleStage(code))
    ? `3.1 (${code} gathered in the same stage)`
    : null;
}

/** A code that did not come: an earlier stage has ended the run, or what was refused or crashed is legal now. */
function accepting(fitting, code, further) {
  if (code === 'crash' && further.length > 0) return '9.2 (crash)';
  const entry = fitting.find(({ accepts }) => accepts === code);
  if (entry) return `${entry.rule} (${entry.shape})`;
  const earlier = further.find((other) => ruleStage(other) < ruleStage(code));
  return earlier ? `3.1 (${earlier} ends the run before ${code})` : null;
}

/** What must be the same anyway; where the graph is refused now there are no mounts. */
function rest(outcome, ours) {
  const { mounts, componentNamespaces } = outcome;
  return ours.controller === 'deny' ? { componentNamespaces } : { mounts, componentNamespaces };
}

/** A case of the validating webhook in the form of a validation case. Of a recorded refusal the codes are not known. */
export function asVerdicts({ request: { request }, context }, recorded, ours) {
  const { namespace, name, object } = request;
  return {
    input: { graph: { namespace, name }, context, spec: object?.spec },
    recorded: { admission: admissionOf(recorded), admissionCodes: [] },
    ours: { admission: admissionOf(ours), admissionCodes: causesOf(ours) },
  };
}

function admissionOf({ response }) {
  const allowed = response?.response?.allowed;
  if (allowed === undefined) return 'crash';
  return allowed ? 'allow' : 'deny';
}

function causesOf({ response }) {
  return (response?.response?.status?.details?.causes ?? []).map(({ reason }) => reason);
}
