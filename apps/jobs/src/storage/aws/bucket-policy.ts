/** A statement of a bucket policy of ours; others stay as they are. */
export interface Statement {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Principal: unknown;
  Action: string[];
  Resource: string[];
}

const version = '2012-10-17';

/** The statements of a policy; none where there is no policy. */
export function statementsOf(policy: string | undefined): Statement[] {
  return policy === undefined ? [] : (JSON.parse(policy) as { Statement: Statement[] }).Statement;
}

/** @returns undefined where nothing is left */
export function policyOf(statements: readonly Statement[]): string | undefined {
  return statements.length === 0
    ? undefined
    : JSON.stringify({ Version: version, Statement: statements });
}

/** The statements with one in place of that of its name. */
export function withStatement(statements: readonly Statement[], added: Statement): Statement[] {
  return [...without(statements, added.Sid), added];
}

export function without(statements: readonly Statement[], sid: string | undefined): Statement[] {
  return statements.filter((each) => each.Sid !== sid);
}

const objects = (bucket: string): string[] => [`arn:aws:s3:::${bucket}/*`];

/** Nothing is added while it stands (jobs.md 6.2). */
export function frozen(bucket: string): Statement {
  return {
    Sid: 'GlacisFrozen',
    Effect: 'Deny',
    Principal: '*',
    Action: ['s3:PutObject'],
    Resource: objects(bucket),
  };
}

/** @param identity ARN of the role of the party's instances */
export function partyMay(bucket: string, direction: 'in' | 'out', identity: string): Statement {
  return {
    Sid: 'GlacisParty',
    Effect: 'Allow',
    Principal: { AWS: [identity] },
    Action: direction === 'in' ? ['s3:GetObject', 's3:GetObjectVersion'] : ['s3:PutObject'],
    Resource: objects(bucket),
  };
}
