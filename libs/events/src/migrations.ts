import { migration, type MigrationClass } from '@glacis/store';

/** The tables of this library in a service's schema: `outbox`, `inbox`, `event_failures`. */
export const eventsMigrations: MigrationClass[] = [
  migration(
    'CreateEvents1763600000000',
    `CREATE TABLE outbox (
       seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       event_id text NOT NULL,
       topic text NOT NULL,
       key text NOT NULL,
       type text NOT NULL,
       envelope text NOT NULL,
       created_at timestamptz NOT NULL DEFAULT now(),
       published_at timestamptz
     )`,
    'CREATE INDEX outbox_unpublished ON outbox (seq) WHERE published_at IS NULL',
    `CREATE TABLE inbox (
       event_id text COLLATE "C" PRIMARY KEY,
       taken_at timestamptz NOT NULL DEFAULT now()
     )`,
    // parked: to be retried, holds back later events of its key; redriven: one more attempt, holds back nothing.
    `CREATE TABLE event_failures (
       seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       event_id text NOT NULL UNIQUE,
       topic text NOT NULL,
       key text NOT NULL,
       type text NOT NULL,
       envelope text NOT NULL,
       state text NOT NULL CHECK (state IN ('parked', 'redriven', 'dead')),
       attempts integer NOT NULL,
       cause text,
       next_attempt_at timestamptz NOT NULL,
       failed_at timestamptz NOT NULL
     )`,
    `CREATE INDEX event_failures_parked ON event_failures (topic, key, seq) WHERE state = 'parked'`,
    `CREATE INDEX event_failures_open ON event_failures (seq) WHERE state <> 'dead'`,
    `CREATE INDEX event_failures_dead ON event_failures (seq) WHERE state = 'dead'`,
  ),
];
