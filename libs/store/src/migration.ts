import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A step of a service's schema, as TypeORM runs it. */
export type MigrationClass = new () => MigrationInterface;

/**
 * A migration made of SQL statements, run in one transaction, forward only. A change that old replicas would not
 * survive is made in two releases: expand first, contract later.
 * @param name what it does and a 13-digit timestamp, which gives the order: `CreateBackends1763700000000`
 */
export function migration(name: string, ...statements: string[]): MigrationClass {
  if (!/[a-z]\d{13}$/i.test(name)) {
    throw new Error(`migration name must end in a 13-digit timestamp: ${name}`);
  }
  return class implements MigrationInterface {
    readonly name = name;
    readonly statements = statements;

    async up(runner: QueryRunner): Promise<void> {
      for (const statement of statements) {
        await runner.query(statement).catch((cause: Error) => {
          throw new Error(`migration ${name} failed: ${cause.message}`, { cause });
        });
      }
    }

    async down(): Promise<void> {
      throw new Error(`migrations go forward only: ${name}`);
    }
  };
}
