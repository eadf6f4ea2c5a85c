// What of charts/glacis is generated: from its values.yaml their schema and their tables in the README, from k8s/ the copies
// that Helm can read and the table of rights.
import { readdirSync, readFileSync } from 'node:fs';
import { isMap, isSeq, parseAllDocuments, parseDocument } from 'yaml';

const folder = 'charts/glacis';
/** Maps of Kubernetes from names to texts. */
const texts = new Set(['annotations', 'labels', 'nodeSelector', 'serviceAccountAnnotations']);
/** What Kubernetes checks itself, also where the default has keys. */
const free = new Set(['resources']);

const rights = 'k8s/rbac';
const definitions = 'k8s/crds';
/** Whose rights each file of `rights` holds. */
const accounts = {
  'operator.yaml': 'operator',
  'operator-graphs.yaml': 'operator, for graphs',
  'webhooks.yaml': 'webhooks',
  'graph-apps.yaml': 'graph-apps',
  'jobs.yaml': 'jobs, for pods of parties',
};

/** Texts by path. Those of `k8s/` have to be there before. */
export function chartFiles() {
  const values = parseDocument(readFileSync(`${folder}/values.yaml`, 'utf8')).contents;
  const readme = readFileSync(`${folder}/README.md`, 'utf8');
  const parts = { rights: rightsTable(), values: valueTables(values) };
  const copies = [rights, definitions].flatMap((from) =>
    readdirSync(from).map((name) => `${from}/${name}`),
  );
  return {
    [`${folder}/values.schema.json`]: JSON.stringify(rootSchema(values)),
    [`${folder}/README.md`]: Object.entries(parts).reduce(replacePart, readme),
    ...Object.fromEntries(
      copies.map((path) => [path.replace('k8s', `${folder}/files`), readFileSync(path, 'utf8')]),
    ),
  };
}

/** Puts a generated part between its two marks. */
function replacePart(text, [name, part]) {
  const [begin, end] = [`<!-- ${name}: generated -->`, `<!-- ${name}: end -->`];
  return `${text.split(begin)[0]}${begin}\n\n${part}\n\n${end}${text.split(end)[1]}`;
}

/** What each account may do, one line per resource of a rule. */
function rightsTable() {
  const rows = Object.entries(accounts).flatMap(([file, account]) => {
    const documents = parseAllDocuments(readFileSync(`${rights}/${file}`, 'utf8'));
    return documents.flatMap((document) => rightsOf(account, document.toJS()));
  });
  return ['| account | resource | verbs | where |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

function rightsOf(account, { kind, rules }) {
  return rules.flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
    resources.map((each) => {
      const [resource, ...part] = each.split('/');
      const name = [[resource, ...apiGroups].filter(Boolean).join('.'), ...part].join('/');
      return `| ${account} | \`${name}\` | ${verbs.join(', ')} | ${placeOf(account, kind, resourceNames)} |`;
    }),
  );
}

function placeOf(account, kind, resourceNames) {
  if (resourceNames) return 'its own registrations';
  if (kind === 'Role') return 'its own namespace';
  return account === 'operator' ? 'namespaces that it serves' : 'everywhere';
}

/** The paragraph right above a key as one line, and what `@schema` at its end adds to the schema. */
function docOf({ key }, map) {
  const above = key.commentBefore ?? (map.items[0].key === key ? map.commentBefore : null) ?? '';
  const paragraph = above.split(/\n\s*\n/).at(-1);
  const [text, schema = '{}'] = paragraph.replace(/\s*\n\s*/g, ' ').split('@schema');
  return { text: text.trim(), narrowed: JSON.parse(schema) };
}

function rootSchema(values) {
  const schema = mapSchema(values);
  // Helm gives these to a chart that is part of another one.
  Object.assign(schema.properties, { global: { type: 'object' }, enabled: { type: 'boolean' } });
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'glacis', ...schema };
}

function mapSchema(map) {
  const properties = map.items.map((pair) => {
    const { text, narrowed } = docOf(pair, map);
    const description = text === '' ? {} : { description: text };
    return [pair.key.value, { ...description, ...typeOf(pair), ...narrowed }];
  });
  const type = { type: 'object', additionalProperties: false };
  return { ...type, properties: Object.fromEntries(properties) };
}

const isGroup = ({ key, value }) => isMap(value) && value.items.length > 0 && !free.has(key.value);

function typeOf({ key, value }) {
  if (texts.has(key.value)) return { type: 'object', additionalProperties: { type: 'string' } };
  if (isGroup({ key, value })) return mapSchema(value);
  if (isMap(value)) return { type: 'object' };
  if (isSeq(value)) return { type: 'array' };
  return { type: Number.isInteger(value.value) ? 'integer' : typeof value.value };
}

/** One table for the values without a group, then one for each group. */
function valueTables(values) {
  const groups = values.items.filter(isGroup);
  const single = values.items.filter((pair) => !isGroup(pair));
  const sections = groups.map((pair) => {
    const { text } = docOf(pair, values);
    const rows = rowsOf(pair.value, `${pair.key.value}.`);
    return [`### ${pair.key.value}`, text, table(rows)].filter(Boolean).join('\n\n');
  });
  return [table(single.map((pair) => rowOf(pair, values, ''))), ...sections].join('\n\n');
}

function rowsOf(map, prefix) {
  return map.items.flatMap((pair) => {
    if (!isGroup(pair)) return [rowOf(pair, map, prefix)];
    const { text } = docOf(pair, map);
    const own = text === '' ? [] : [`| \`${prefix}${pair.key.value}\` |  | ${text} |`];
    return [...own, ...rowsOf(pair.value, `${prefix}${pair.key.value}.`)];
  });
}

function rowOf(pair, map, prefix) {
  const name = `${prefix}${pair.key.value}`;
  const { text, narrowed } = docOf(pair, map);
  if (text === '') throw new Error(`values.yaml does not say what ${name} is`);
  const choice = narrowed.enum
    ? ` One of ${narrowed.enum.map((each) => `\`${each}\``).join(', ')}.`
    : '';
  const value = pair.value.toJSON();
  const shown =
    value === '' ? 'empty' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
  return `| \`${name}\` | ${shown} | ${text}${choice} |`;
}

const table = (rows) =>
  ['| value | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
