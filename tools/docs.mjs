// What README.md and ARCHITECTURE.md name has to exist: files, links, npm scripts.
import { existsSync, readFileSync } from 'node:fs';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
const faults = [];
for (const page of ['README.md', 'ARCHITECTURE.md']) {
  const text = readFileSync(page, 'utf8');
  const files = [
    ...[...text.matchAll(/`((?:apps|libs|bench|tools|docs)\/[\w./-]+)`/g)].map(([, path]) => path),
    ...[...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) => path),
    ...[...text.matchAll(/\bnode ((?:apps|libs|bench|tools)\/\S+)/g)].map(([, path]) => path),
  ];
  for (const path of files) if (!existsSync(path)) faults.push(`${page}: ${path} does not exist`);
  for (const [, name] of text.matchAll(/npm run ([\w:]+)/g)) {
    if (!(name in scripts)) faults.push(`${page}: there is no script ${name}`);
  }
}
for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);
