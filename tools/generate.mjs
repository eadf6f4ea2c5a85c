// `npm run generate` writes every generated file anew; with `--check` it fails where a committed one differs.
//   docs/settings.md    from the settings definitions of the programs
//   k8s/crds/*.yaml      from the types of the custom resources
//   docs/graph.schema.json   from the schema of graphs, for editors
//   docs/openapi.json   from the running suite, as the door serves it
//   charts/glacis/values.schema.json and the tables of its README.md   from its values.yaml (tools/chart.mjs)
//   libs/grpc/src/generated/**   from proto/ (tools/proto.mjs)
// It needs `npm run build` before it.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { format } from 'prettier';
import { chartFiles } from './chart.mjs';
import { stringify } from 'yaml';

const checking = process.argv.includes('--check');
let stale = 0;

async function put(path, text) {
  const options = { ...JSON.parse(readFileSync('.prettierrc.json', 'utf8')), filepath: path };
  const formatted = await format(text, options);
  let committed = '';
  try {
    committed = readFileSync(path, 'utf8');
  } catch {
    // Not there yet: stale.
  }
  if (committed === formatted) return;
  stale += 1;
  console.error(`${path} ${checking ? 'differs from what its generator makes' : 'written anew'}`);
  if (!checking) writeFileSync(path, formatted);
}

async function settingsPage() {
  const { settingsTable } = await import('@glacis/settings');
  const { httpSettings } = await import('@glacis/http');
  const { kafkaSettings } = await import('@glacis/events');
  const { identitySettings } = await import('@glacis/identity');
  const { serviceProgramSettings } = await import('@glacis/host');
  const { suiteSettings } = await import('@glacis/glacis');
  const { backendsSettings } = await import('@glacis/backends');
  const { certificatesSettings } = await import('@glacis/certificates');
  const { gatewaySettings } = await import('@glacis/gateway');
  const { graphAppsSettings } = await import('@glacis/graph-apps');
  const { jobsSettings } = await import('@glacis/jobs');
  const { managerSettings, qemuSettings, upstreamSettings } = await import('@glacis/manager');
  const { graphSettings, operatorSettings, teeManagerSettings } = await import('@glacis/operator');
  const { flowsSettings, livenessSettings } = await import('@glacis/flows');
  const parts = {
    'The suite': suiteSettings,
    'A service that runs by itself': serviceProgramSettings,
    'HTTP of every program': httpSettings,
    'Tokens, in every program': identitySettings,
    'The bus, in every program': kafkaSettings,
    'The door': gatewaySettings,
    backends: backendsSettings,
    certificates: certificatesSettings,
    'graph-apps': graphAppsSettings,
    jobs: jobsSettings,
    'The operator': operatorSettings,
    'The operator, where it serves TeeManagers': teeManagerSettings,
    'The operator, for graphs': graphSettings,
    'The flows service': flowsSettings,
    'Edge liveness': livenessSettings,
    'The reference manager, as upstream': upstreamSettings,
    'The reference manager, its guests, as upstream': qemuSettings,
    'The reference manager, its own': managerSettings,
  };
  const tables = Object.entries(parts).map(
    ([title, definition]) => `## ${title}

${settingsTable(definition)}
`,
  );
  return `# Settings

Environment variables over one optional YAML file over defaults. The file is \`GLACIS_CONFIG_FILE\`, else
\`./.glacis_config.yml\`; its top-level keys are the services. A bad value stops the start with the full list of them.

${tables.join('\n')}`;
}

/** Folded lines would cut rules of CEL in two. */
async function customResources() {
  const operator = await import('@glacis/operator');
  const definitions = [
    operator.teeManagerDefinition,
    operator.rampartGraphDefinition,
    operator.mutationPresetDefinition,
    operator.rampartInfraDefinition,
  ];
  return definitions.map((definition) => ({
    path: `k8s/crds/${definition.spec.group}_${definition.spec.names.plural}.yaml`,
    text: `# Made by \`npm run generate\` from the types of the operator.\n${stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false })}`,
  }));
}

async function openApiDocument() {
  const dataDir = mkdtempSync(join(tmpdir(), 'glacis-generate-'));
  const suite = spawn(process.execPath, ['apps/glacis/dist/main.js'], {
    env: {
      ...process.env,
      GLACIS_DATA_DIR: dataDir,
      GLACIS_PORT: '0',
      GLACIS_BACKENDS_MANAGER_PORT: '0',
      GLACIS_BACKENDS_AGENT_PORT: '0',
      GLACIS_CERTS_EST_PORT: '0',
      GLACIS_JOBS_AGENTS_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => suite.once('exit', resolve));
  try {
    for await (const line of createInterface({ input: suite.stdout })) {
      const [, door] = /door (http:\S+?),/.exec(line) ?? [];
      if (door) return JSON.stringify(await (await fetch(`${door}/openapi.json`)).json());
    }
    throw new Error('the suite did not start');
  } finally {
    suite.kill('SIGTERM');
    await ended;
    rmSync(dataDir, { recursive: true, force: true });
  }
}

await put('docs/settings.md', await settingsPage());
for (const { path, text } of await customResources()) await put(path, text);
await put('docs/graph.schema.json', JSON.stringify((await import('@glacis/graphs')).GRAPH_SCHEMA));
await put('docs/openapi.json', await openApiDocument());
for (const [path, text] of Object.entries(chartFiles())) await put(path, text);
const proto = spawnSync(process.execPath, ['tools/proto.mjs', ...(checking ? ['--check'] : [])], {
  stdio: 'inherit',
});
if (proto.status !== 0) stale += 1;
process.exit(checking && stale > 0 ? 1 : 0);
