// Generates TypeScript from every folder of proto/ that holds .proto files, each a module of its own (the dialects
// of one service share a package name). `--check` fails when the committed output differs from what it generates.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'proto');
const target = join(root, 'libs/grpc/src/generated');
const options = [
  'env=node',
  'importSuffix=.js',
  'oneof=unions-value',
  'outputServices=generic-definitions',
  'outputJsonMethods=false',
  'esModuleInterop=true',
  'exportCommonSymbols=false',
  'annotateFilesWithVersion=false',
];

/** What a server describes by reflection: its descriptors are written beside the types. */
const reflected = ['health/v1', 'manager/vms', 'reflection/v1'];

const filesBelow = (folder, ending) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();

function generate(out) {
  const modules = new Set(filesBelow(source, '.proto').map((file) => dirname(file)));
  for (const module of modules) {
    const plugin = {
      local: join(root, 'node_modules/.bin/protoc-gen-ts_proto'),
      out: '.',
      opt: options,
    };
    const template = JSON.stringify({ version: 'v2', plugins: [plugin] });
    execFileSync(
      join(root, 'node_modules/.bin/buf'),
      [
        'generate',
        join(source, module),
        '--template',
        template,
        '--include-imports',
        '-o',
        join(out, module),
      ],
      { cwd: root, stdio: 'inherit' },
    );
    if (reflected.includes(module)) describe(module, out);
  }
}

function describe(module, out) {
  const arguments_ = [
    'build',
    join(source, module),
    '--exclude-source-info',
    '-o',
    '-#format=binpb',
  ];
  const set = execFileSync(join(root, 'node_modules/.bin/buf'), arguments_, { cwd: root });
  const text = `/** google.protobuf.FileDescriptorSet of this folder with all that it imports, in base64. */
export const descriptorSet =
  '${set.toString('base64')}';
`;
  writeFileSync(join(out, module, 'descriptor-set.ts'), text);
}

function textOf(folder, name) {
  const file = join(folder, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function differences(generated) {
  const names = new Set([...filesBelow(generated, ''), ...filesBelow(target, '')]);
  return [...names].filter((name) => textOf(generated, name) !== textOf(target, name));
}

const scratch = mkdtempSync(join(tmpdir(), 'glacis-proto-'));
try {
  generate(scratch);
  if (process.argv.includes('--check')) {
    const differing = differences(scratch);
    for (const name of differing)
      console.error(`libs/grpc/src/generated/${name} differs: run npm run proto`);
    process.exitCode = differing.length === 0 ? 0 : 1;
  } else {
    rmSync(target, { recursive: true, force: true });
    cpSync(scratch, target, { recursive: true });
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
