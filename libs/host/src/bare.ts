// For a program that hosts no service, such as the operator: without Nest, a database and a bus, which weigh 50 MB.
export { version } from './about.js';
export {
  joinPeers,
  joinTokenOf,
  joinTokenShape,
  peerShape,
  type Peers,
  type PeerSettings,
} from './peers.js';
export { run } from './run.js';
export { programShape } from './settings.js';
export { SettingsLoader } from './settings-loader.js';
