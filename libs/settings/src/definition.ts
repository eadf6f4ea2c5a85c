import type { z } from 'zod';

/** One setting. Made by {@link setting} or {@link secret}. */
export interface Setting<T> {
  type: z.ZodType<T>;
  /** Default in the textual form of an environment variable; `undefined`: the setting is mandatory. */
  default: string | undefined;
  /** One sentence for the settings page. */
  doc: string;
  /** Masked in every dump. */
  secret: boolean;
  /** Its environment variable where that does not follow from prefix and key. */
  variable?: string;
}

export type Shape = Record<string, Setting<unknown>>;

/** The parsed values of a shape. */
export type Values<S> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

export interface SettingsDefinition<S extends Shape = Shape> {
  /** What the environment variables begin with, as `GLACIS_BACKENDS_`. */
  prefix: string;
  /** Top-level key of the configuration file: the prefix without `GLACIS_`, in lower case; `glacis` for the bare prefix. */
  section: string;
  shape: S;
}

/** A setting whose value may be shown. */
export function setting<T>(
  type: z.ZodType<T>,
  defaultText: string | undefined,
  doc: string,
): Setting<T> {
  return { type, default: defaultText, doc, secret: false };
}

/** A setting whose value is masked in dumps and never part of an error. */
export function secret<T>(
  type: z.ZodType<T>,
  defaultText: string | undefined,
  doc: string,
): Setting<T> {
  return { type, default: defaultText, doc, secret: true };
}

/** The setting under an environment variable that is older than our names; in the file it is found by its key. */
export function named<T>(variable: string, of: Setting<T>): Setting<T> {
  return { ...of, variable };
}

/** Names a group of settings: `httpPort` under `GLACIS_BACKENDS_` is the variable `GLACIS_BACKENDS_HTTP_PORT`. */
export function defineSettings<S extends Shape>(prefix: string, shape: S): SettingsDefinition<S> {
  const section = prefix
    .replace(/^GLACIS_/, '')
    .replace(/_$/, '')
    .toLowerCase();
  return { prefix, section: section || 'glacis', shape };
}

/** `httpPort` to `http_port`; digits stay with their word. */
export function snakeCase(key: string): string {
  return key.replace(/[A-Z]+/g, (letters) => `_${letters.toLowerCase()}`);
}

/** The environment variable of a key. */
export function variableOf(definition: SettingsDefinition, key: string): string {
  return definition.shape[key]?.variable ?? definition.prefix + snakeCase(key).toUpperCase();
}
