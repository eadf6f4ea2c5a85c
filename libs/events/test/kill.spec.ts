import { killRounds } from './kill-rounds.js';

test('kill -9 at any moment under load loses no event, doubles no effect and keeps the order per key', async () => {
  await killRounds({ replicas: 1 });
}, 180_000);
