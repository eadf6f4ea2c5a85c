// Stores an object whose bytes never end, until it is killed: FOLDER BUCKET KEY.
import { LocalBuckets } from '../../dist/storage/local/local-buckets.js';
import { storeObject } from '../../dist/storage/local/store-object.js';

const [folder, bucket, key] = process.argv.slice(2);

async function* endless() {
  for (;;) {
    yield Buffer.alloc(65_536);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

await storeObject(new LocalBuckets(folder), { bucket, key, maxBytes: 1 << 30 }, endless());
