import { runService } from '@glacis/host';
import { AgentListener } from './agents/agent-listener.js';
import { JobsModule } from './jobs.module.js';
import { jobsSettings } from './settings.js';

await runService({
  name: 'jobs',
  settings: jobsSettings,
  apis: ['jobs'],
  callsOnly: true,
  httpPort: ({ httpPort }) => httpPort,
  module: (settings, { host }) => JobsModule.forRoot(settings, { host }),
  ports: (app) => ({ agents: app.get(AgentListener, { strict: false }).port }),
});
