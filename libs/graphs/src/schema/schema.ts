/** The part of JSON Schema 2020-12 that graphs and chart annotations are described in. */
export interface Schema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly title?: string;
  /** Of a `pattern`: what a fitting text is, completing "must be …". */
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** Absent: the object is free. */
  readonly additionalProperties?: false | Schema;
  readonly propertyNames?: Schema;
  /**
   * Exactly one holds. Which one is meant is told by the member `discriminator.propertyName`, an `enum` in each
   * branch, or else by the type, of which each branch then has another.
   */
  readonly oneOf?: readonly Schema[];
  readonly discriminator?: { readonly propertyName: string };
}
