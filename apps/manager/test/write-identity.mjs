// Writes an identity as `manager enrol` does: node write-identity.mjs <folder> <text of every file>
import { IdentityStore } from '../dist/enrolment/identity.js';

const [folder, text] = process.argv.slice(2);
const store = new IdentityStore(folder);
await store.enrolmentKey(text);
await store.write({ ca: text, cert: text, key: text, server: text, enrolledBy: text });
