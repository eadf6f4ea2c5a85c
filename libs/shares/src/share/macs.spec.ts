import { slotKey, slotMacs, split, x25519KeyPair, type EncodedTable } from '../index.js';

const word = Int32Array.of(5, -6);
const table: EncodedTable = { rows: 2, columns: new Map([['n', { low: word, high: word }]]) };
const set = { jobId: 'job', owner: 'a/b', set: 1 };

test('jobs.md 8: the holders of a slot agree on its MAC, and only on that slot', async () => {
  const files = split(table, { table: { n: 'years' } });
  const [first, second, third] = [
    await x25519KeyPair(),
    await x25519KeyPair(),
    await x25519KeyPair(),
  ];
  const mine = await slotKey(first.privateKey, second.publicKey, set);
  const theirs = await slotKey(second.privateKey, first.publicKey, set);
  const held = await slotMacs(mine, files[0]!, 1);
  expect([...held.keys()]).toEqual(['n', '[n]']);
  expect(await slotMacs(theirs, files[1]!, 0)).toEqual(held);
  expect(await slotMacs(theirs, files[2]!, 0)).not.toEqual(held);
  const others = [
    await slotKey(second.privateKey, third.publicKey, set),
    await slotKey(second.privateKey, first.publicKey, { ...set, set: 2 }),
    await slotKey(second.privateKey, first.publicKey, { ...set, owner: 'a' }),
  ];
  for (const key of others) expect(await slotMacs(key, files[1]!, 0)).not.toEqual(held);
});
