import { openAzureServer } from './storage/azure.js';
import { storageConformance } from './storage/conformance.js';
import { openS3 } from './storage/s3.js';

storageConformance('S3, policies made by us', () => openS3('nominal'));
storageConformance('S3, roles made by others', () => openS3('account'));
storageConformance('Azure Blob', openAzureServer);
