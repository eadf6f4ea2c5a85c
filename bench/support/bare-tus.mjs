// The peer of the upload bench: @tus/server with its file store, fetched once into a cache folder. Prints its address.
// `node bench/support/bare-tus.mjs FOLDER`
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const packages = ['@tus/server@2.4.5', '@tus/file-store@2.1.1'];
const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const home = join(cache, 'glacis', 'tus-2.4.5');

if (!existsSync(join(home, 'node_modules', '@tus', 'server'))) {
  mkdirSync(home, { recursive: true });
  const args = ['install', '--prefix', home, '--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', [...args, ...packages], {
    cwd: home,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
const { resolve } = createRequire(join(home, 'package.json'));
const { Server } = await import(pathToFileURL(resolve('@tus/server')).href);
const { FileStore } = await import(pathToFileURL(resolve('@tus/file-store')).href);

const directory = process.argv[2];
const server = new Server({ path: '/files', datastore: new FileStore({ directory }) });
const listener = server.listen({ port: 0, host: '127.0.0.1' }, () => {
  console.log(`http://127.0.0.1:${listener.address().port}/files`);
});
