import { dialects, type ClientMessage } from '@glacis/grpc';
import {
  dialectsByName,
  type AnyDialectName,
  type Build,
  type StreamFamily,
} from './stream-family.js';

/** What a client says of itself when it opens the stream; it announces no version (`backends.md` 4.3). */
export interface DialectSigns {
  /** The `protocol` pin of the backend; null is `auto`. */
  pin: string | null;
  /** Metadata `glacis-protocol`. */
  protocol?: string;
  userAgent?: string;
  /** Metadata `glacis-manager-version`. */
  managerVersion?: string;
}

export interface DialectChoice {
  dialect: AnyDialectName;
  /** The client may as well speak `v0.3`: runs wait for a sign or a pin, Terminate goes out in both numbers. */
  ambiguous: boolean;
  /** Manager software, when it is certain. */
  version: string | null;
}

const MAX_VERSION = 64;

/** The dialect of this family that has the name. */
export function dialectNamed(
  family: StreamFamily,
  name: string | null | undefined,
): AnyDialectName | undefined {
  return family.dialects.find((known) => known === name);
}

/** Pin, then `glacis-protocol`, then `user-agent`, then what strangers of the family get. */
export function chooseDialect(family: StreamFamily, signs: DialectSigns): DialectChoice {
  const build = buildOf(family, signs.userAgent);
  const named = dialectNamed(family, signs.pin) ?? dialectNamed(family, signs.protocol);
  const dialect = named ?? build.dialect;
  const certain = build.dialect === dialect ? build.version : undefined;
  return {
    dialect,
    ambiguous: named === undefined && build.ambiguous === true,
    version: ownVersion(signs.managerVersion) ?? certain ?? null,
  };
}

function buildOf(family: StreamFamily, userAgent = ''): Omit<Build, 'userAgent'> {
  const known = family.builds.find((build) => userAgent.startsWith(build.userAgent));
  return known ?? { dialect: family.fallback };
}

function ownVersion(text: string | undefined): string | null {
  if (text === undefined || !/^[0-9A-Za-z][0-9A-Za-z.+_-]*$/.test(text)) return null;
  return text.length > MAX_VERSION ? null : `glacis-manager ${text}`;
}

export type Sign = 'agrees' | 'decides' | 'contradicts';

/** What a message says about the dialect chosen: only `v0.3` and later send what makes an ambiguous one `v0.3`. */
export function signOf(
  choice: Pick<DialectChoice, 'dialect' | 'ambiguous'>,
  kind: ClientMessage['kind'],
): Sign {
  if (dialectsByName[choice.dialect].answers.has(kind)) return 'agrees';
  return choice.ambiguous && dialects['v0.3'].answers.has(kind) ? 'decides' : 'contradicts';
}
