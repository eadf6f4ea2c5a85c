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
