import type { Command } from 'commander';
import type { Act } from '../context.js';
import type { LinkFlags } from '../graphs/link.js';
import { inNamespace } from './graph.js';

/** `glacis infra list`, `glacis list-components`, `glacis link`. */
export function clusterCommands(program: Command, act: Act): void {
  const infra = program.command('infra').description('what charts provide to the whole cluster');
  const list = infra
    .command('list')
    .description('names, who provides them, and whether they are deployed')
    .option('--context <name>', 'context of the kubeconfig')
    .option('-n, --namespace <name>', 'namespace; default: all');
  act(list, async (context, _, flags: { context?: string; namespace?: string }) => {
    await (await import('../graphs/index.js')).listInfra(context, flags);
  });
  const charts = program
    .command('list-components <url>')
    .description('charts of a repository, each in its newest version')
    .option('-d, --declarations', 'what they declare of their inputs and outputs, as YAML');
  act(charts, async (context, [url = ''], flags: { declarations?: boolean }) => {
    await (await import('../graphs/index.js')).listComponents(context, url, flags);
  });
  const link = inNamespace(program.command('link <graph> [component]'))
    .description('where the components of a graph are to be seen')
    .option('--base <url>', 'of the gateway; default: port 30800 of the API server’s host')
    .option('--open', 'opens them in a browser');
  act(link, async (context, [name = '', component], flags: LinkFlags) => {
    await (await import('../graphs/index.js')).links(context, [name, component], flags);
  });
}
