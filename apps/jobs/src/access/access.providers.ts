import type { Provider } from '@nestjs/common';
import { ConfiguredDrivers } from '../plan/drivers.js';
import { LISTENER, SETTINGS, type JobsSettings, type Listener } from '../settings.js';
import { Callers } from './callers.js';
import { CrossOrigin } from './cross-origin.js';
import { JobAccess } from './job-access.js';
import { JobTokens } from './job-tokens.js';
import { MODE, modeOf } from './mode.js';
import { Secrets } from './secrets.js';

/** Who may do what. */
export const accessProviders: Provider[] = [
  {
    provide: Secrets,
    useFactory: ({ secretFile }: JobsSettings) => Secrets.load(secretFile),
    inject: [SETTINGS],
  },
  {
    provide: MODE,
    useFactory: (settings: JobsSettings, listener: Listener, drivers: ConfiguredDrivers) =>
      modeOf(settings, listener, drivers.allLocal),
    inject: [SETTINGS, LISTENER, ConfiguredDrivers],
  },
  Callers,
  CrossOrigin,
  JobAccess,
  ConfiguredDrivers,
  JobTokens,
];
