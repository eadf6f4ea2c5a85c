import type { KeptOwner, Ports } from './flow.js';

const DATABASE = 'glacis-owner';
const STORE = 'owners';

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () =>
      reject(request.error ?? new Error('the browser keeps nothing')),
    );
  });

function database(): Promise<IDBDatabase> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore(STORE));
  return done(opening);
}

async function within<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const open = await database();
  try {
    return await done(work(open.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    open.close();
  }
}

/** Keys in IndexedDB, which stores them without their bytes ever being readable. */
export const browserKeys: Ports['keys'] = {
  load: (id) => within<KeptOwner | undefined>('readonly', (store) => store.get(id)),
  save: async (id, owner) => {
    await within('readwrite', (store) => store.put(owner, id));
  },
};
