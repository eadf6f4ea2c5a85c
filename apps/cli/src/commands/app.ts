import type { Command } from 'commander';
import { UsageError } from '../client.js';
import type { Act, Context } from '../context.js';
import { isMap, readYaml } from '../graphs/sources.js';

type Item = Record<string, unknown>;

/** `glacis app list|versions|diff|save|deploy|notes`. */
export function appCommands(program: Command, act: Act): void {
  const app = program.command('app').description('versions of graphs, kept by the server');
  listCommands(app, act);
  diffCommand(app, act);
  saveCommand(app, act);
  deployCommand(app, act);
  notesCommand(app, act);
}

const root = '/api/v1';
const pathOf = (id: string, ...rest: string[]): string =>
  [`${root}/apps`, id, ...rest].map((part, at) => (at ? encodeURIComponent(part) : part)).join('/');

interface MatchFlag {
  ifMatch?: string;
}

const withMatch = (command: Command): Command =>
  command.option('--if-match <etag>', 'only if the App has not changed since');
const matching = ({ ifMatch }: MatchFlag): Record<string, string> =>
  ifMatch === undefined ? {} : { 'if-match': ifMatch };

function listCommands(app: Command, act: Act): void {
  const list = app.command('list').description('Apps, and which version is deployed');
  act(list, async ({ client, show }) => {
    const apps = await client.get<Item[]>(`${root}/apps`, { fields: 'summary' });
    show({ list: apps, columns: ['appId', 'deployedVersion', 'versionCount', 'lastEdit'] });
  });
  const versions = app.command('versions <id>').description('versions of an App');
  act(versions, async ({ client, show }, [id = '']) => {
    const items = await client.get<Item[]>(pathOf(id, 'versions'));
    show({ list: items, columns: ['version', 'status', 'deployed', 'lastEdit', 'notes'] });
  });
}

function diffCommand(app: Command, act: Act): void {
  const diff = app
    .command('diff <id> <from> <to>')
    .description('what differs between two versions')
    .option('--ui', 'also what is for the editor only');
  act(diff, async ({ client, show }, [id = '', from = '', to = ''], { ui }: { ui?: boolean }) => {
    const path = pathOf(id, 'versions', from, 'diff', to);
    show({ object: await client.get<Item>(path, { ignoreUi: !ui }) });
  });
}

function saveCommand(app: Command, act: Act): void {
  const save = withMatch(app.command('save'))
    .description('saves a graph as a new version, or as a new App')
    .requiredOption('-f, --filename <file>', 'file or URL of the graph; - reads standard input')
    .option('--notes <text>', 'notes of the version');
  act(save, async (context, _, flags: MatchFlag & { filename: string; notes?: string }) => {
    const graph = await readYaml(flags.filename);
    if (!isMap(graph)) throw new UsageError(`${flags.filename}: expected a graph`);
    const body = { ...graph, ...(flags.notes !== undefined && { notes: flags.notes }) };
    const { namespace = 'default', name } = isMap(graph['metadata']) ? graph['metadata'] : {};
    const saved = await saveAs(context, `${String(namespace)}_${String(name)}`, { body, flags });
    const { appId, versionId } = saved;
    context.show({ object: { appId, versionId, warnings: saved['warnings'] } });
  });
}

async function saveAs(
  { client }: Context,
  id: string,
  { body, flags }: { body: Item; flags: MatchFlag },
): Promise<Item> {
  const headers = matching(flags);
  const path = pathOf(id, 'graph');
  // Who names a state of the App means one that is there.
  const accept = flags.ifMatch === undefined ? [404] : [];
  const saved = await client.call('POST', path, { body, headers, accept });
  if (saved.status !== 404) return saved.json<Item>();
  return (await client.call('POST', `${root}/graphs`, { body })).json<Item>();
}

function deployCommand(app: Command, act: Act): void {
  const deploy = withMatch(app.command('deploy <id> <version>')).description(
    'deploys a version; an older one reverts',
  );
  act(deploy, async ({ client, say }, [id = '', version = ''], flags: MatchFlag) => {
    const body = { appId: id, version, deployed: true };
    const headers = matching(flags);
    await client.call('POST', pathOf('redeployment', id, version), { body, headers });
    say(`deployment of version ${version} of ${id} requested`);
  });
}

function notesCommand(app: Command, act: Act): void {
  const notes = withMatch(app.command('notes <id> <version> <text>')).description(
    'sets the notes of a version',
  );
  act(notes, async ({ client, say }, [id = '', version = '', text = ''], flags: MatchFlag) => {
    const headers = matching(flags);
    await client.call('PATCH', pathOf(id, 'versions', version), { body: { notes: text }, headers });
    say(`notes of version ${version} of ${id} set`);
  });
}
