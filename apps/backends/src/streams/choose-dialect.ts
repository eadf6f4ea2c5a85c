import { dialectNames, dialects, type ClientMessage, type DialectName } from '@glacis/grpc';

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
  dialect: DialectName;
  /** The client may as well speak `v0.3`: runs wait for a sign or a pin, Terminate goes out in both numbers. */
  ambiguous: boolean;
  /** Manager software, when it is certain. */
  version: string | null;
}

interface Build extends DialectChoice {
  userAgent: string;
}

const builds: Build[] = [
  { userAgent: 'grpc-go/1.60.1', dialect: 'seed', ambiguous: false, version: null },
  { userAgent: 'grpc-go/1.65.0', dialect: 'v0.2', ambiguous: true, version: null },
  { userAgent: 'grpc-go/1.68.0', dialect: 'v0.4', ambiguous: false, version: 'cocos v0.4.0' },
];

const MAX_VERSION = 64;

export function isDialectName(text: string | null | undefined): text is DialectName {
  return dialectNames.some((name) => name === text);
}

/** Pin, then `glacis-protocol`, then `user-agent`, then `seed`. */
export function chooseDialect(signs: DialectSigns): DialectChoice {
  const build = builds.find((known) => signs.userAgent?.startsWith(known.userAgent));
  const named = [signs.pin, signs.protocol].find(isDialectName);
  const dialect = named ?? build?.dialect ?? 'seed';
  const certain = build?.dialect === dialect ? build.version : null;
  return {
    dialect,
    ambiguous: named === undefined && (build?.ambiguous ?? false),
    version: ownVersion(signs.managerVersion) ?? certain,
  };
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
  if (dialects[choice.dialect].answers.has(kind)) return 'agrees';
  return choice.ambiguous && dialects['v0.3'].answers.has(kind) ? 'decides' : 'contradicts';
}
