import { runService } from '@glacis/host';
import { JobsModule } from './jobs.module.js';
import { jobsSettings } from './settings.js';

await runService({
  name: 'jobs',
  settings: jobsSettings,
  apis: ['jobs'],
  callsOnly: true,
  httpPort: ({ httpPort }) => httpPort,
  module: (settings, { host }) => JobsModule.forRoot(settings, { host }),
});
