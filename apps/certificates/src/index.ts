export { CertificatesModule } from './certificates.module.js';
export { EstPort } from './enrolment/est-port.js';
export { Rotation } from './authority/rotation.service.js';
export { InternalPort } from './rpc/internal-port.js';
export { certificatesMigrations } from './migrations.js';
export { certificatesSettings, type CertificatesSettings } from './settings.js';
