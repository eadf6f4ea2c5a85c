export type {
  Component,
  OpeningColumn,
  OpeningExpression,
  ResultColumn,
  ShownType,
  StoredColumn,
  StoredForm,
} from './open/result.js';
export { KeyError, publicKeyOf, x25519KeyPair, type KeyPair } from './crypto/x25519.js';
export { SEALED_TYPE } from './seal/key.js';
export { seal } from './seal/seal.js';
export type { ByteSource, Transform } from './seal/stream.js';
export { SealError, unseal } from './seal/unseal.js';
export { ALL_DAYS, dayOf, dayText } from './schema/days.js';
export {
  MAX_SCALE,
  SchemaError,
  storedBits,
  typeOf,
  type ColumnDeclaration,
  type Schema,
  type TableSchema,
} from './schema/schema.js';
export { INT32, INT64, within, type Kind, type Range, type ValueType } from './schema/types.js';
export {
  cellReader,
  type Cell,
  type CellCode,
  type EncodedTable,
  type Words,
} from './owner/encode.js';
export {
  readTable,
  type OwnerCode,
  type OwnerFinding,
  type OwnerTable,
  type ReadOptions,
} from './owner/read-table.js';
export { BINARY_TYPE, writeBinary, type BinaryOrigin } from './share/binary.js';
export { writeCsv } from './share/csv-write.js';
export {
  ShareFileError,
  type PartyCount,
  type ShareFile,
  type ShareFileCode,
  type ShareFormat,
} from './share/file.js';
export { textHasher, type HashText } from './share/hash.js';
export { shareHeader } from './share/header.js';
export { slotKey, slotMacs, type MacKey, type SlotSet } from './share/macs.js';
export { readShareFile } from './share/read.js';
export { split, type RandomWords } from './share/split.js';
export { canonicalJson, type Json } from './sign/canonical.js';
export {
  exportOwnerKey,
  importOwnerKey,
  makeOwnerKey,
  type OwnerKey,
  type OwnerKeyFile,
} from './sign/ed25519.js';
export {
  missingUses,
  policyText,
  signPolicy,
  verifyPolicy,
  type AllowedUses,
  type MissingUse,
  type OwnerPolicy,
  type PolicyDocument,
  type SignedLimits,
} from './sign/policy.js';
export { OpenError } from './open/open-error.js';
export { openResult, type OpenedCell, type OpenedResult } from './open/open.js';
export { receiptText, type Expected, type Receipt, type ReceiptBody } from './open/receipts.js';
export { ApiError, JobsApi, NoAnswerError } from './client/api.js';
export { describeJob, policyLines, type Section } from './client/describe.js';
export {
  digest,
  HashMismatchError,
  queryHash,
  readJob,
  tableOf,
  type JobTable,
  type JobToRead,
  type OwnerJob,
} from './client/job.js';
export {
  checkFile,
  claimJob,
  MAX_ROWS,
  parseClaimLink,
  prepare,
  register,
  uploadBody,
  type Body,
  type Claimed,
  type Grant,
  type Owner,
  type Prepared,
  type Registered,
  type ShareOfParty,
  type RegisterOptions,
  type Upload,
} from './client/owner.js';
export { openJob, ResultKeyError, type JobResults, type OpenOptions } from './client/results.js';
export { storeShares, StoreError, type Put } from './client/store.js';
