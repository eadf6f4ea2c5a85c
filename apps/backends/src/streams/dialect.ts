/** Field numberings of the manager stream (`backends.md` 4.4), oldest first. */
export const dialects = ['seed', 'v0.2', 'v0.3', 'v0.4'] as const;
export type Dialect = (typeof dialects)[number];

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
  dialect: Dialect;
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

export function isDialect(text: string | null | undefined): text is Dialect {
  return dialects.some((dialect) => dialect === text);
}

/** Pin, then `glacis-protocol`, then `user-agent`, then `seed`. */
export function chooseDialect(signs: DialectSigns): DialectChoice {
  const build = builds.find((known) => signs.userAgent?.startsWith(known.userAgent));
  const named = [signs.pin, signs.protocol].find(isDialect);
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

/** Client messages that one dialect has and another has not, by oneof number. */
const knownClientMessages: Record<Dialect, number> = { seed: 3, 'v0.2': 3, 'v0.3': 5, 'v0.4': 6 };

export type Sign = 'agrees' | 'decides' | 'contradicts';

/** What a client message of this number says about the dialect chosen: messages 4 and 5 make an ambiguous one `v0.3`. */
export function signOf(choice: Pick<DialectChoice, 'dialect' | 'ambiguous'>, number: number): Sign {
  if (number <= knownClientMessages[choice.dialect]) return 'agrees';
  return choice.ambiguous && number <= knownClientMessages['v0.3'] ? 'decides' : 'contradicts';
}
