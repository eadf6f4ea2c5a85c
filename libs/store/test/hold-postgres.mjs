// Holds the embedded Postgres of the folder given, says so, and waits to be killed.
import { createLogger } from '@glacis/observability';
import { startPostgres } from '@glacis/store';

const logger = createLogger({ name: 'holder', level: 'silent' });
const { url, adopted } = await startPostgres({ dataDir: process.argv[2], logger });
process.stdout.write(`${JSON.stringify({ url, adopted })}\n`);
setInterval(() => undefined, 60_000);
