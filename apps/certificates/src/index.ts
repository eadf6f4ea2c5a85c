export { CertificatesModule } from './certificates.module.js';
export { certificatesMigrations } from './migrations.js';
export { certificatesSettings, type CertificatesSettings } from './settings.js';
