import { readFileSync } from 'node:fs';
import { ApiError, NoAnswerError } from '@glacis/shares';
import { Command, CommanderError, Option } from 'commander';
import { RefusedError, UnreachableError, UsageError } from './client.js';
import { appCommands } from './commands/app.js';
import { auditCommands } from './commands/audit.js';
import { backendCommands } from './commands/backend.js';
import { caCommands } from './commands/ca.js';
import { certificateCommands } from './commands/cert.js';
import { clusterCommands } from './commands/cluster.js';
import { eventCommands } from './commands/events.js';
import { graphCommands } from './commands/graph.js';
import { jobCommands } from './commands/jobs.js';
import { statusCommand } from './commands/status.js';
import { tokenCommands } from './commands/token.js';
import { CheckFailedError, contextOf, type Act, type Streams } from './context.js';
import { exitCodes, ExitError } from './exit.js';
import { outputFormats, plainLines } from './output.js';

const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
const { version } = JSON.parse(manifest) as { version: string };

const examples = `
Examples:
  glacis status
  glacis backend create --name rack1-host3 --address 192.168.100.4
  glacis cert issue 0199aa51-7d2a-7c52-b1f5-7d5c2f6f0a11 --ip 192.168.100.4
  glacis cert download 26722427430573939575087739124584835231 --out ./tls
  glacis cert revoke 26722427430573939575087739124584835231 --reason keyCompromise
  glacis backend list -o json
  glacis graph validate -f graph.yaml
  glacis graph create -f graph.yaml
  glacis graph status my-graph --watch
  glacis jobs sql query.sql --schema schema.json --owners clinic,insurer,registry
  glacis app save -f graph.yaml --notes 'larger volume'

Exit codes: 0 done, 1 refused by the server or a check failed, 2 wrong usage, 3 no answer from the server.`;

/**
 * Runs one command line (without the program's own name).
 * @returns the exit code; nothing is thrown.
 */
export async function main(argv: string[], streams: Streams = process): Promise<number> {
  try {
    await build(streams).parseAsync(argv, { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    return explain(error, streams);
  }
}

function build(streams: Streams): Command {
  const program = new Command('glacis')
    .description(
      'Works with a Glacis server (TEE hosts, certificates, Apps, secure SQL jobs, events, the audit trail) and with graphs in a cluster.',
    )
    .addOption(
      new Option('--server <url>', 'address of the server')
        .env('GLACIS_SERVER')
        .default('http://127.0.0.1:8080'),
    )
    .addOption(
      new Option('--token-file <file>', 'file that holds the token')
        .env('GLACIS_TOKEN_FILE')
        .default(`${process.env['GLACIS_DATA_DIR'] ?? '.glacis'}/admin.token`),
    )
    .addOption(
      new Option('-o, --output <form>', 'form of the answer')
        .choices(outputFormats)
        .default('text'),
    )
    .version(version)
    .addHelpText('after', examples)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
    });
  const act: Act = (command, action) =>
    command.action(async (...all: unknown[]) => {
      const self = all.pop() as Command;
      const options = all.pop() as Parameters<typeof action>[2];
      await action(contextOf(self, streams), all.flat() as string[], options);
    });
  statusCommand(program, act);
  tokenCommands(program, act);
  backendCommands(program, act);
  certificateCommands(program, act);
  caCommands(program, act);
  eventCommands(program, act);
  auditCommands(program, act);
  graphCommands(program, act);
  appCommands(program, act);
  jobCommands(program, act);
  clusterCommands(program, act);
  return program;
}

function explain(error: unknown, { stderr }: Streams): number {
  if (error instanceof CommanderError)
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (error instanceof CheckFailedError) return exitCodes.refused;
  if (error instanceof RefusedError) {
    stderr.write(refusalText(error));
    return exitCodes.refused;
  }
  stderr.write(`glacis: ${messageOf(error)}\n`);
  if (error instanceof ExitError) return error.code;
  if (error instanceof UnreachableError || error instanceof NoAnswerError)
    return exitCodes.unreachable;
  return error instanceof UsageError ? exitCodes.usage : exitCodes.refused;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = error instanceof ApiError && error.code ? ` (${error.code})` : '';
  return `${plainLines(error.message)}${code}`;
}

/** Several reasons take a line each, with their codes. */
function refusalText({ lines, message, problem }: RefusedError): string {
  if (lines.length > 0) return `${plainLines(lines.join('\n'))}\n`;
  const { code, request_id: request } = problem;
  const more = [code, request && `request ${request}`].filter(Boolean).join(', ');
  return `glacis: ${message}${more ? ` (${more})` : ''}\n`;
}
