// A service that does nothing, as the `main.ts` of one looks.
import { runService } from '@glacis/host';
import { defineSettings, integer, setting } from '@glacis/settings';

class PondModule {}

await runService({
  name: 'pond',
  settings: defineSettings('GLACIS_POND_', { depth: setting(integer(1, 9), '3', 'Metres.') }),
  apis: [],
  httpPort: () => 0,
  module: () => ({ module: PondModule }),
  ports: () => ({ frogs: 7 }),
});
