import type { Command } from 'commander';
import type { Act } from '../context.js';
import { collect } from '../options.js';
import type { LogFlags } from '../graphs/logs.js';
import type { FileFlags } from '../graphs/draft.js';
import type { DeployFlags, Selection } from '../graphs/write.js';
import type { ClusterOptions } from '../graphs/cluster.js';

/** What works with a cluster weighs much, and is loaded when it is needed. */
const verbs = (): Promise<typeof import('../graphs/index.js')> => import('../graphs/index.js');

/** `glacis graph create|update|edit|delete|list|describe|validate|deploy|undeploy|status|logs`. */
export function graphCommands(program: Command, act: Act): void {
  const graph = program
    .command('graph')
    .description('graphs in the cluster of KUBECONFIG, else of ~/.kube/config');
  writingCommands(graph, act);
  editCommand(graph, act);
  deleteCommand(graph, act);
  showingCommands(graph, act);
  deployCommands(graph, act);
  logsCommand(graph, act);
}

/** Options that lead to one graph. */
export function inNamespace(command: Command): Command {
  return command
    .option('--context <name>', 'context of the kubeconfig')
    .option('-n, --namespace <name>', 'namespace; default: default');
}

const inNamespaces = (command: Command): Command =>
  inNamespace(command).option('-A, --all-namespaces', 'all namespaces');

const withValues = (command: Command): Command =>
  command.option(
    '-v, --values <source>',
    'values for all components, or component=source for one; a file or URL; may be repeated',
    collect,
    [],
  );

const withFile = (command: Command): Command =>
  command.requiredOption(
    '-f, --filename <file>',
    'file or URL of the graph; - reads standard input',
  );

function writingCommands(graph: Command, act: Act): void {
  const create = withValues(withFile(inNamespace(graph.command('create'))))
    .description('creates a graph')
    .addHelpText('after', '\nExample:\n  glacis graph create -f graph.yaml -v consumer=test.yaml');
  act(create, async (context, _, flags: ClusterOptions & FileFlags) => {
    await (await verbs()).createGraph(context, flags);
  });
  const update = withValues(inNamespace(graph.command('update [name]')))
    .description('replaces a graph by that of a file, or changes its values')
    .option('-f, --filename <file>', 'file or URL of the graph; - reads standard input');
  act(update, async (context, [name], flags: ClusterOptions & FileFlags) => {
    await (await verbs()).updateGraph(context, name, flags);
  });
  const validate = withValues(withFile(inNamespace(graph.command('validate')))).description(
    'has the cluster check a graph without storing it',
  );
  act(validate, async (context, _, flags: ClusterOptions & FileFlags) => {
    await (await verbs()).validateGraph(context, flags);
  });
}

function editCommand(graph: Command, act: Act): void {
  const edit = inNamespace(graph.command('edit <name>')).description(
    'opens the components and flows in EDITOR, else vi',
  );
  act(edit, async (context, [name = ''], flags: ClusterOptions) => {
    await (await verbs()).editGraph(context, name, flags);
  });
}

function deleteCommand(graph: Command, act: Act): void {
  const remove = inNamespaces(graph.command('delete [name]'))
    .description('deletes a graph, or all of them')
    .option('-a, --all', 'all graphs of the namespace, or of all namespaces')
    .option('-y, --yes', 'does not ask');
  act(remove, async (context, [name], flags: ClusterOptions & Selection) => {
    await (await verbs()).deleteGraphs(context, name, flags);
  });
}

function showingCommands(graph: Command, act: Act): void {
  const list = inNamespaces(graph.command('list')).description('names of graphs');
  act(list, async (context, _, flags: ClusterOptions & Selection) => {
    await (await verbs()).listGraphs(context, flags);
  });
  const describe = inNamespaces(graph.command('describe [prefix]'))
    .description('graphs whose names begin so')
    .option(
      '-v, --verbose',
      '-v messages and flows, -vv pods, -vvv the object',
      (_, before: number) => before + 1,
      0,
    );
  act(
    describe,
    async (context, [prefix], flags: ClusterOptions & Selection & { verbose: number }) => {
      await (await verbs()).describeGraphs(context, prefix, flags);
    },
  );
  const status = inNamespace(graph.command('status <name>'))
    .description('conditions, and states of components and flows')
    .option('--watch', 'again at each change');
  act(status, async (context, [name = ''], flags: ClusterOptions & { watch?: boolean }) => {
    await (await verbs()).graphStatus(context, name, flags);
  });
}

function deployCommands(graph: Command, act: Act): void {
  for (const deploy of [true, false]) {
    const word = deploy ? 'deploy' : 'undeploy';
    const command = inNamespace(graph.command(`${word} <name>`))
      .description(deploy ? 'has a graph installed' : 'takes a graph down; its data stays')
      .option('--wait', 'until the operator is done; exit 1 when it fails')
      .option('--timeout <seconds>', 'how long to wait', '600');
    act(command, async (context, [name = ''], flags: DeployFlags) => {
      await (await verbs()).setDeploy(context, name, { ...flags, deploy });
    });
  }
}

function logsCommand(graph: Command, act: Act): void {
  const logs = inNamespace(graph.command('logs <name> [component]'))
    .description('what the operator says of the graph, or the pods of a component')
    .option('--follow', 'goes on');
  act(logs, async (context, [name = '', component], flags: LogFlags) => {
    await (await verbs()).graphLogs(context, [name, component], flags);
  });
}
