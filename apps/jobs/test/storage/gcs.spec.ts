import { storageConformance } from './conformance.js';
import { openGcs } from './gcs.js';

storageConformance('Cloud Storage, policies made by us', () => openGcs('nominal'));
storageConformance('Cloud Storage, roles made by others', () => openGcs('account'));
